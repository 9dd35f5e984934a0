using System.Collections.Immutable;
using System.Net;
using Sallyport.Mail.Addressing;
using Sallyport.Mail.Policy;
using Sallyport.Mail.Sasl;
using Sallyport.Mail.Text;
using Sallyport.Server.Admin.Dispatch;
using Sallyport.Server.Admin.Operations;
using Sallyport.Server.Configuration;
using Sallyport.Server.Identity;
using Sallyport.Server.Identity.AppPasswords;
using Sallyport.Server.Identity.Contracts;
using Sallyport.Server.Identity.Passwords;

namespace Sallyport.Server.Admin.Handlers;

internal sealed class AppPasswordHandlers(AdminServices services)
{
    private AppPasswordRegistry Book => services.Books.AppPasswords;

    public void Register(AdminDispatcher handlers)
    {
        handlers.On(AppPasswordOperations.Add, AddAsync);
        handlers.On(AppPasswordOperations.List, ListAsync);
        handlers.On(AppPasswordOperations.Revoke, RevokeAsync);
    }

    private async ValueTask<MadeAppPassword> AddAsync(NewAppPassword wanted, AdminCall call)
    {
        var cancel = call.Cancel;
        if (AppPasswordRules.FindMistake(wanted) is { } mistake)
        {
            return No(AdminCodes.InvalidAppPassword, mistake);
        }

        if (Credentials.PrepareLogin(wanted.Login) is not { } typed)
        {
            return No(AdminCodes.InvalidLogin, $"\"{DisplayText.Sanitize(wanted.Login)}\" is not a valid login");
        }

        var (options, identity) = (services.Site.Current.Options, services.Site.Current.Identity);
        var found = await identity.AppPasswords.FindAsync(typed, cancel);
        if (found is not LoginVerdict.Granted { Entry: var entry, Note: var note })
        {
            return found is LoginVerdict.Unavailable unavailable
                ? No(AdminCodes.DirectoryUnavailable, $"the directories cannot be asked for {DisplayText.Sanitize(typed)} now: {unavailable.Why}")
                : No(AdminCodes.LoginUnknown, $"{DisplayText.Sanitize(typed)} cannot log in: {await WhyAsync(identity, typed, cancel)}");
        }

        if (Credentials.PrepareLogin(entry.Login) is not { Length: <= UserRules.LoginCharactersMax } login)
        {
            return No(AdminCodes.LoginTooLong, $"the login's name is longer than {UserRules.LoginCharactersMax} characters");
        }

        ImmutableArray<SenderPattern> senders = [.. wanted.Senders.Select(SenderPattern.Parse).OfType<SenderPattern>()];
        var grant = await identity.Grants.ResolveAsync(entry, cancel);
        if (senders.FirstOrDefault(sender => !Covers(grant, sender)) is { } stranger)
        {
            return No(AdminCodes.SenderNotGranted, $"{entry.Login} may not send as {stranger}");
        }

        return await MakeAsync(wanted, login, senders, note, options.AppPasswords.PerLogin, cancel);
    }

    private async ValueTask<MadeAppPassword> MakeAsync(
        NewAppPassword wanted, string login, ImmutableArray<SenderPattern> senders, string note, int perLogin, CancellationToken cancel)
    {
        var now = services.Time.GetUtcNow();
        var secret = AppPasswordText.Draw();
        var password = new AppPassword(
            login, Book.NewId(), wanted.Label.Trim(), now, wanted.Seconds is { } seconds ? now + TimeSpan.FromSeconds(seconds) : null)
        {
            Networks = [.. wanted.Networks.Select(NetworkText.Parse).OfType<IPNetwork>()],
            Senders = senders,
            Digest = Book.Digest(secret),
            Verifiers = await VerifiersAsync(login, secret, cancel),
        };
        var made = $"{password.Shown} of {login} is created" + (note.Length > 0 ? "; " + note : "");
        return await Book.AddAsync(password, perLogin, now, cancel)
            ? new(true, AdminCodes.AppPasswordAdded, made, login, password.Id, AppPasswordText.Show(secret))
            : No(AdminCodes.AppPasswordsTooMany, $"{login} has as many app passwords as allowed (app_passwords.per_login = {perLogin})");
    }

    /// <summary>One SCRAM exchange has one salt: that of the login's own verifier where we keep one, else the one it is shown anyway.</summary>
    private async ValueTask<ImmutableArray<ScramVerifier>> VerifiersAsync(string login, string secret, CancellationToken cancel)
    {
        var salted = services.Books.Decoys.For(login);
        foreach (var directory in services.Site.Current.Identity.Directories.OfType<IVerifierDirectory>())
        {
            if (await directory.FindVerifierAsync(login, cancel) is LoginVerdict.Verifier own)
            {
                salted = own.Value;
                break;
            }
        }

        return await Task.Run<ImmutableArray<ScramVerifier>>(
            () =>
            [
                PasswordHasher.CreateVerifier(AppPasswordText.Show(secret), salted.Salt, salted.Iterations),
                PasswordHasher.CreateVerifier(secret, salted.Salt, salted.Iterations),
            ], cancel);
    }

    private async ValueTask<AdminPage<AppPasswordView>> ListAsync(AppPasswordQuery query, AdminCall call)
    {
        var all = query.Login is null ? Book.All : Book.Of(await NameAsync(query.Login, call.Cancel));
        var now = services.Time.GetUtcNow();
        return AdminPaging.Cut(all.Select(one =>
        {
            var use = Book.LastUse(one);
            return new AppPasswordView(
                one.Login, one.Id, one.Label, one.CreatedAt, one.ExpiresAt, one.HasExpired(now),
                [.. one.Networks.Select(network => network.ToString())], [.. one.Senders.Select(sender => sender.ToString())], use?.At, use?.From);
        }), one => one.Login + "\0" + one.Id, query.Limit, query.After);
    }

    private async ValueTask<AdminAnswer> RevokeAsync(AppPasswordChoice choice, AdminCall call)
    {
        var cancel = call.Cancel;
        var login = await NameAsync(choice.Login, cancel);
        var revoked = await Book.RevokeAsync(login, choice.Id?.ToLowerInvariant(), cancel);
        return revoked switch
        {
            [] => new(false, AdminCodes.AppPasswordUnknown, choice.Id is null ? $"{DisplayText.Sanitize(login)} has no app password"
                : $"{DisplayText.Sanitize(login)} has no app password {DisplayText.Sanitize(choice.Id)}"),
            [var one] => new(true, AdminCodes.AppPasswordRevoked,
                $"{one.Shown} of {login} is revoked. New logins and the next message in any open session are refused"),
            _ => new(true, AdminCodes.AppPasswordRevoked,
                $"{revoked.Length} app passwords of {login} are revoked. New logins and the next message in any open session are refused"),
        };
    }

    /// <summary>A login may be named in any way its directory knows; one it no longer knows only by its own name.</summary>
    private async ValueTask<string> NameAsync(string typed, CancellationToken cancel)
    {
        var prepared = Credentials.PrepareLogin(typed) ?? "";
        return !Book.Of(prepared).IsEmpty || await services.Site.Current.Identity.AppPasswords.FindAsync(prepared, cancel)
            is not LoginVerdict.Granted { Entry.Login: var name }
            ? prepared
            : Credentials.PrepareLogin(name) ?? prepared;
    }

    private static async ValueTask<string> WhyAsync(IdentityService identity, string login, CancellationToken cancel) =>
        (await identity.FindGrantAsync(login, cancel)).Why;

    /// <summary>Is all the pattern covers the login's? Of a pattern with a star only what is granted word for word.</summary>
    private static bool Covers(Grant grant, SenderPattern sender) =>
        sender.IsAddress && MailboxParser.TryParse(sender.ToString(), out var mailbox)
            ? SenderPolicy.MayUse(grant, mailbox!)
            : grant.Patterns.Contains(sender)
                || grant.Addresses.Any(address => MailboxParser.TryParse(address, out var own) && sender.Matches(own!));

    private static MadeAppPassword No(string code, string why) => new(false, code, why, null, null, null);
}
