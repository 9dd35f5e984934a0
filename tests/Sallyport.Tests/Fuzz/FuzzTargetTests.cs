using System.Reflection;
using Sallyport.Fuzz;
using Xunit;

namespace Sallyport.Tests.Fuzz;

/// <summary>What fuzzing has found, and what it began with, is played at every run of the tests.</summary>
public sealed class FuzzTargetTests
{
    private const int MutantsPerTarget = 300;
    private const int Seed = 20261127;

    public static TheoryData<string, string> CorpusFiles
    {
        get
        {
            var data = new TheoryData<string, string>();
            foreach (var target in FuzzTargets.All)
            {
                foreach (var file in FuzzTargets.Corpus(target.Name))
                {
                    data.Add(target.Name, Path.GetFileName(file));
                }
            }

            return data;
        }
    }

    public static TheoryData<string> Names => new(FuzzTargets.All.Select(target => target.Name));

    [Theory]
    [MemberData(nameof(CorpusFiles))]
    public void A_corpus_file_breaks_no_invariant(string target, string file) =>
        Find(target).Fuzz(File.ReadAllBytes(Path.Combine(FuzzTargets.CorpusRoot, target, file)));

    [Theory]
    [MemberData(nameof(Names))]
    public void Mutants_of_the_corpus_break_no_invariant(string target)
    {
        var mutator = new Mutator([.. FuzzTargets.Corpus(target).Select(File.ReadAllBytes)], Seed);
        for (var i = 0; i < MutantsPerTarget; i++)
        {
            var octets = mutator.Next();
            var broken = Record.Exception(() => Find(target).Fuzz(octets));
            Assert.True(broken is null, $"{Convert.ToBase64String(octets)}: {broken}");
        }
    }

    [Fact]
    public void Each_target_is_registered_under_a_name_with_a_corpus()
    {
        var written = typeof(FuzzTargets).Assembly.GetTypes()
            .Where(type => type.Namespace == "Sallyport.Fuzz.Targets" && type.IsPublic)
            .Select(type => type.GetMethod("Fuzz", BindingFlags.Public | BindingFlags.Static, [typeof(ReadOnlySpan<byte>)])
                ?? throw new InvalidOperationException($"{type} has no Fuzz(ReadOnlySpan<byte>)"));
        Assert.Equal(
            written.Select(method => method.DeclaringType!.Name).Order(),
            FuzzTargets.All.Select(target => target.Fuzz.Method.DeclaringType!.Name).Order());
        Assert.Equal(
            FuzzTargets.All.Select(target => target.Name).Order(),
            Directory.EnumerateDirectories(FuzzTargets.CorpusRoot).Select(folder => Path.GetFileName(folder)!).Order());
        Assert.All(FuzzTargets.All, target => Assert.True(FuzzTargets.Corpus(target.Name).Count >= 5, $"{target.Name}: a corpus of hardly anything"));
    }

    private static FuzzTarget Find(string name) => FuzzTargets.All.Single(target => target.Name == name);
}
