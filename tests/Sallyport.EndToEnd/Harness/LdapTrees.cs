namespace Sallyport.EndToEnd.Harness;

/// <summary>Trees as sites have them: what is said of a server in docs/operating is tried against these.</summary>
internal static class LdapTrees
{
    public const string Password = "Pässwört €42";

    /// <summary>Domino's schema as far as a login needs it; the tree starts at the root, certifiers stand side by side, groups are flat.</summary>
    public const string Domino = """
        attributetype ( 2.16.840.1.113678.2.2.2.1.9001 NAME 'dominoAccessGroups' EQUALITY caseIgnoreMatch SYNTAX 1.3.6.1.4.1.1466.115.121.1.15 )
        attributetype ( 2.16.840.1.113678.2.2.2.1.9002 NAME 'mailFile' EQUALITY caseIgnoreMatch SYNTAX 1.3.6.1.4.1.1466.115.121.1.15 )
        attributetype ( 2.16.840.1.113678.2.2.2.1.9003 NAME 'mailServer' EQUALITY caseIgnoreMatch SYNTAX 1.3.6.1.4.1.1466.115.121.1.15 )
        objectclass ( 2.16.840.1.113678.2.2.2.2.9001 NAME 'dominoPerson' SUP inetOrgPerson STRUCTURAL
          MAY ( dominoAccessGroups $ mailFile $ mailServer ) )
        objectclass ( 2.16.840.1.113678.2.2.2.2.9002 NAME 'dominoGroup' SUP top STRUCTURAL MUST cn MAY ( member $ description ) )
        database mdb
        suffix ""
        directory @DB@
        access to attrs=userPassword by anonymous auth by * none
        access to * by dn.exact="cn=msa lookup,o=DuckWest" read by self read by users search by anonymous auth by * none
        """;

    public static readonly string DominoPeople = $"""
        dn: o=DuckWest
        objectClass: organization
        o: DuckWest

        dn: o=DuckEast
        objectClass: organization
        o: DuckEast

        dn: ou=Sales,o=DuckWest
        objectClass: organizationalUnit
        ou: Sales

        {Person("cn=MSA Lookup,o=DuckWest", "MSA Lookup", "lookup", "", "lookup secret")}
        {Person("cn=Jane Doe,ou=Sales,o=DuckWest", "Jane Doe", "jdoe", "jane.doe@duck.test", Password)}
        cn: Jane Miller/Sales/DuckWest
        cn: The Boss
        mailFile: mail/jdoe
        dominoAccessGroups: CN=SMTP-Submit
        dominoAccessGroups: CN=Everybody

        {Person("cn=Jane Doe,o=DuckEast", "Jane Doe", "jdoe2", "jane@east.duck.test", "east password")}
        {Person("cn=Jörg Müller,o=DuckEast", "Jörg Müller", "jmueller", "joerg@east.duck.test", Password)}
        {Person("cn=star*)(uid=*,o=DuckEast", "star*)(uid=*", "star", "star@east.duck.test", "star password")}
        dn: cn=EastSenders
        objectClass: dominoGroup
        cn: EastSenders
        member: cn=Jörg Müller,o=DuckEast

        """;

    /// <summary>OpenLDAP as it usually is, with its password policy: three wrong passwords lock an account.</summary>
    public const string OpenLdap = """
        attributetype ( 1.3.6.1.4.1.99999.1.1 NAME 'userAccountControl' EQUALITY integerMatch SYNTAX 1.3.6.1.4.1.1466.115.121.1.27 SINGLE-VALUE )
        attributetype ( 1.3.6.1.4.1.99999.1.2 NAME 'accountExpires' EQUALITY integerMatch SYNTAX 1.3.6.1.4.1.1466.115.121.1.27 SINGLE-VALUE )
        attributetype ( 1.3.6.1.4.1.99999.1.3 NAME 'sAMAccountName' EQUALITY caseIgnoreMatch SYNTAX 1.3.6.1.4.1.1466.115.121.1.15 SINGLE-VALUE )
        attributetype ( 1.3.6.1.4.1.99999.1.4 NAME 'userPrincipalName' EQUALITY caseIgnoreMatch SYNTAX 1.3.6.1.4.1.1466.115.121.1.15 SINGLE-VALUE )
        attributetype ( 1.3.6.1.4.1.99999.1.5 NAME 'proxyAddresses' EQUALITY caseIgnoreMatch SYNTAX 1.3.6.1.4.1.1466.115.121.1.15 )
        attributetype ( 1.3.6.1.4.1.99999.1.6 NAME 'memberOf' EQUALITY distinguishedNameMatch SYNTAX 1.3.6.1.4.1.1466.115.121.1.12 )
        attributetype ( 1.3.6.1.4.1.99999.1.7 NAME 'objectCategory' EQUALITY caseIgnoreMatch SYNTAX 1.3.6.1.4.1.1466.115.121.1.15 )
        objectclass ( 1.3.6.1.4.1.99999.2.1 NAME 'user' SUP inetOrgPerson STRUCTURAL
          MAY ( userAccountControl $ accountExpires $ sAMAccountName $ userPrincipalName $ proxyAddresses $ memberOf $ objectCategory ) )
        database mdb
        suffix "dc=acme,dc=test"
        directory @DB@
        rootdn "cn=admin,dc=acme,dc=test"
        rootpw admin-secret
        access to attrs=userPassword by anonymous auth by * none
        access to * by * read
        overlay ppolicy
        ppolicy_default "cn=policy,dc=acme,dc=test"
        ppolicy_use_lockout
        """;

    public static readonly string OpenLdapPeople = $"""
        dn: dc=acme,dc=test
        objectClass: dcObject
        objectClass: organization
        dc: acme
        o: Acme

        dn: ou=people,dc=acme,dc=test
        objectClass: organizationalUnit
        ou: people

        dn: cn=policy,dc=acme,dc=test
        objectClass: device
        objectClass: pwdPolicy
        cn: policy
        pwdAttribute: userPassword
        pwdLockout: TRUE
        pwdMaxFailure: 3
        pwdMaxAge: 0
        pwdMustChange: TRUE

        {Person("uid=jane,ou=people,dc=acme,dc=test", "Jane Doe", "jane", "Jane@acme.test", Password)}
        mail: jane.doe@acme.test

        {Person("uid=lockme,ou=people,dc=acme,dc=test", "Lock Me", "lockme", "lockme@acme.test", Password)}
        {Person("uid=locked,ou=people,dc=acme,dc=test", "Locked", "locked", "locked@acme.test", Password)}
        pwdAccountLockedTime: 000001010000Z

        {Person("uid=reset,ou=people,dc=acme,dc=test", "Reset", "reset", "reset@acme.test", Password)}
        pwdReset: TRUE

        {Person("uid=twin1,ou=people,dc=acme,dc=test", "Twin", "twin1", "twin@acme.test", Password)}
        {Person("uid=twin2,ou=people,dc=acme,dc=test", "Twin", "twin2", "twin@acme.test", Password)}
        {User("ann", "512", "0")}
        {User("off", "514", "0")}
        {User("past", "512", "132223104000000000")}
        dn: cn=senders,dc=acme,dc=test
        objectClass: groupOfNames
        cn: senders
        member: uid=jane,ou=people,dc=acme,dc=test

        dn: ou=elsewhere,dc=acme,dc=test
        objectClass: referral
        objectClass: extensibleObject
        ou: elsewhere
        ref: ldap://192.0.2.1/ou=elsewhere,dc=acme,dc=test

        """;

    /// <summary>More people for <see cref="OpenLdapPeople"/>, who log in as u00, u01 and so on.</summary>
    public static string MorePeople(int count, string password) => string.Concat(Enumerable.Range(0, count).Select(i =>
        Person($"uid=u{i:00},ou=people,dc=acme,dc=test", $"User {i}", $"u{i:00}", $"u{i:00}@acme.test", password) + "\n"));

    /// <summary>A person up to and without the last blank line when more attributes follow.</summary>
    private static string Person(string dn, string cn, string uid, string mail, string password) => $"""
        dn: {dn}
        objectClass: {(dn.Contains("o=Duck") ? "dominoPerson" : "inetOrgPerson")}
        cn: {cn}
        sn: {cn.Split(' ')[^1]}
        {(dn.StartsWith("cn") ? "uid" : "employeeNumber")}: {uid}
        {(mail.Length > 0 ? "mail: " + mail : "description: no mail")}
        userPassword: {password}
        """ + (dn.StartsWith("cn=Jane Doe,ou") || uid is "jane" or "locked" or "reset" ? "" : "\n");

    private static string User(string name, string control, string expires) => $"""
        dn: cn={name},ou=people,dc=acme,dc=test
        objectClass: user
        objectCategory: person
        cn: {name}
        sn: {name}
        sAMAccountName: {name}
        userPrincipalName: {name}@corp.acme.test
        mail: {name}@acme.test
        proxyAddresses: SMTP:{name}@acme.test
        proxyAddresses: smtp:{name}.alias@acme.test
        proxyAddresses: X500:/o=Acme/cn={name}
        memberOf: cn=senders,dc=acme,dc=test
        userAccountControl: {control}
        accountExpires: {expires}
        userPassword: {LdapTrees.Password}

        """;
}
