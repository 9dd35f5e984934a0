using System.Reflection;
using Sallyport.Mail.Smtp;
using Sallyport.Store;
using Xunit;

namespace Sallyport.Tests.Tidy;

/// <summary>A namespace that uses another is not used by it, neither directly nor round about: each can be read on its own.</summary>
public sealed class NamespaceTests
{
    public static TheoryData<string> Assemblies => new("Sallyport.Mail", "Sallyport.Store", "Sallyport.Server", "sallyport");

    [Theory]
    [MemberData(nameof(Assemblies))]
    public void Namespaces_use_each_other_in_one_direction(string assembly)
    {
        Assert.Empty(new NamespaceGraph(Find(assembly)).Cycles().SelectMany(cycle => cycle.Edges));
    }

    [Fact]
    public void The_graph_sees_what_a_source_does_not_say_with_using()
    {
        var graph = new NamespaceGraph(typeof(NamespaceTests).Assembly);
        Assert.Contains("Sallyport.Tests.Tidy.Sample", graph.Uses("Sallyport.Tests.Tidy").Keys);
        Assert.Contains(graph.Cycles(), cycle => cycle.Members.Contains("Sallyport.Tests.Tidy.Sample"));
    }

    internal static Sample.Below UsesBelow() => new();

    internal static Assembly Find(string name) => name switch
    {
        "Sallyport.Mail" => typeof(Reply).Assembly,
        "Sallyport.Store" => typeof(ISpool).Assembly,
        "Sallyport.Server" => typeof(Sallyport.Server.Configuration.ServerOptions).Assembly,
        _ => Assembly.Load(name),
    };
}
