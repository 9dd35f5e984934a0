using System.Reflection;
using System.Reflection.Emit;

namespace Sallyport.Tests.Tidy;

/// <summary>
/// Which namespace of an assembly uses which, read from what was built: signatures, attributes and the code itself. A source that needs no
/// <c>using</c> for its parent hides nothing here.
/// </summary>
internal sealed class NamespaceGraph
{
    private const BindingFlags All =
        BindingFlags.Public | BindingFlags.NonPublic | BindingFlags.Instance | BindingFlags.Static | BindingFlags.DeclaredOnly;

    private static readonly Dictionary<short, OpCode> OpCodesByValue = typeof(OpCodes).GetFields()
        .Select(field => (OpCode)field.GetValue(null)!).ToDictionary(code => code.Value);

    private readonly Dictionary<string, Dictionary<string, string>> _edges = new(StringComparer.Ordinal);
    private readonly Assembly _assembly;

    public NamespaceGraph(Assembly assembly)
    {
        _assembly = assembly;
        foreach (var type in assembly.GetTypes().Where(IsOurs))
        {
            _edges.TryAdd(type.Namespace!, new(StringComparer.Ordinal));
            ReadType(type);
        }
    }

    public IEnumerable<string> Namespaces => _edges.Keys;

    /// <summary>The namespaces a namespace uses, each with one type that does.</summary>
    public IReadOnlyDictionary<string, string> Uses(string from) => _edges[from];

    /// <summary>Namespaces that use each other, directly or through others: each group with its edges, "A → B (type)".</summary>
    public IEnumerable<(string[] Members, string[] Edges)> Cycles()
    {
        var reach = _edges.Keys.ToDictionary(name => name, Reachable);
        var seen = new HashSet<string>();
        foreach (var name in _edges.Keys.Order(StringComparer.Ordinal))
        {
            string[] members = [.. reach[name].Where(other => reach[other].Contains(name)).Order(StringComparer.Ordinal)];
            if (members.Length > 1 && seen.Add(string.Join(' ', members)))
            {
                yield return (members, [.. members.SelectMany(one => _edges[one].Where(edge => members.Contains(edge.Key))
                    .Select(edge => $"{one} → {edge.Key} ({edge.Value})"))]);
            }
        }
    }

    private HashSet<string> Reachable(string from)
    {
        var found = new HashSet<string>();
        var open = new Stack<string>([from]);
        while (open.TryPop(out var name))
        {
            foreach (var next in _edges[name].Keys.Where(found.Add))
            {
                open.Push(next);
            }
        }

        return found;
    }

    private bool IsOurs(Type type) => type.Assembly == _assembly && type.Namespace?.StartsWith("Sallyport", StringComparison.Ordinal) == true;

    private void ReadType(Type type)
    {
        Use(type, type.BaseType);
        foreach (var one in type.GetInterfaces())
        {
            Use(type, one);
        }

        foreach (var field in type.GetFields(All))
        {
            Use(type, field.FieldType);
        }

        foreach (var method in type.GetMethods(All).Cast<MethodBase>().Concat(type.GetConstructors(All)))
        {
            ReadMethod(type, method);
        }

        foreach (var attribute in type.GetCustomAttributesData())
        {
            Use(type, attribute.AttributeType);
        }
    }

    private void ReadMethod(Type type, MethodBase method)
    {
        Use(type, (method as MethodInfo)?.ReturnType);
        foreach (var parameter in method.GetParameters())
        {
            Use(type, parameter.ParameterType);
        }

        if (method.GetMethodBody() is not { } body)
        {
            return;
        }

        foreach (var local in body.LocalVariables)
        {
            Use(type, local.LocalType);
        }

        foreach (var token in Tokens(body.GetILAsByteArray()!))
        {
            UseMember(type, Resolve(method, token));
        }
    }

    private static MemberInfo? Resolve(MethodBase method, int token)
    {
        try
        {
            return method.Module.ResolveMember(token, method.DeclaringType!.GetGenericArguments(),
                method.IsGenericMethod ? method.GetGenericArguments() : []);
        }
        catch (ArgumentException)
        {
            return null; // a signature of its own, or a string
        }
    }

    private static IEnumerable<int> Tokens(byte[] il)
    {
        for (var i = 0; i < il.Length;)
        {
            var code = OpCodesByValue[il[i] == 0xFE ? unchecked((short)((il[i] << 8) | il[i + 1])) : il[i]];
            i += code.Size;
            if (code.OperandType is OperandType.InlineField or OperandType.InlineMethod or OperandType.InlineType or OperandType.InlineTok)
            {
                yield return BitConverter.ToInt32(il, i);
            }

            i += code.OperandType switch
            {
                OperandType.InlineNone => 0,
                OperandType.ShortInlineBrTarget or OperandType.ShortInlineI or OperandType.ShortInlineVar => 1,
                OperandType.InlineVar => 2,
                OperandType.InlineI8 or OperandType.InlineR => 8,
                OperandType.InlineSwitch => 4 + (4 * BitConverter.ToInt32(il, i)),
                _ => 4,
            };
        }
    }

    private void UseMember(Type from, MemberInfo? member)
    {
        switch (member)
        {
            case Type type:
                Use(from, type);
                break;
            case MethodInfo { IsGenericMethod: true } method:
                Use(from, method.DeclaringType);
                foreach (var argument in method.GetGenericArguments())
                {
                    Use(from, argument);
                }

                break;
            default:
                Use(from, member?.DeclaringType);
                break;
        }
    }

    private void Use(Type from, Type? used)
    {
        if (used is null || used.IsGenericParameter)
        {
            return;
        }

        if (used.HasElementType)
        {
            Use(from, used.GetElementType());
            return;
        }

        foreach (var argument in used.IsGenericType ? used.GetGenericArguments() : [])
        {
            Use(from, argument);
        }

        if (IsOurs(used) && used.Namespace != from.Namespace)
        {
            _edges.TryAdd(from.Namespace!, new(StringComparer.Ordinal));
            _edges[from.Namespace!].TryAdd(used.Namespace!, Outer(from).Name);
        }
    }

    private static Type Outer(Type type) => type.DeclaringType is { } outer ? Outer(outer) : type;
}
