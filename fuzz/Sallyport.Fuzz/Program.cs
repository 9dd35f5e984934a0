using System.Diagnostics;
using System.Globalization;
using Sallyport.Fuzz;
using SharpFuzz;

if (args.Length < 2 || FuzzTargets.All.FirstOrDefault(target => target.Name == args[0]) is not { } chosen)
{
    Console.Error.WriteLine("usage: Sallyport.Fuzz TARGET libfuzzer | afl | random SECONDS [SEED] | replay FILE...");
    Console.Error.WriteLine("targets: " + string.Join(' ', FuzzTargets.All.Select(target => target.Name)));
    return 2;
}

switch (args[1])
{
    case "libfuzzer":
        Fuzzer.LibFuzzer.Run(octets => chosen.Fuzz(octets));
        return 0;
    case "afl":
        Fuzzer.OutOfProcess.Run(stream =>
        {
            using var copy = new MemoryStream();
            stream.CopyTo(copy);
            chosen.Fuzz(copy.ToArray());
        });
        return 0;
    case "replay":
        foreach (var file in args[2..])
        {
            chosen.Fuzz(File.ReadAllBytes(file));
        }

        return 0;
    case "random" when args.Length > 2 && int.TryParse(args[2], NumberStyles.None, CultureInfo.InvariantCulture, out var seconds):
        var seed = args.Length > 3 ? int.Parse(args[3], CultureInfo.InvariantCulture) : Environment.TickCount;
        return RunAtRandom(chosen, TimeSpan.FromSeconds(seconds), seed);
    default:
        Console.Error.WriteLine($"{args[1]} is none of libfuzzer, afl, random SECONDS and replay FILE...");
        return 2;
}

static int RunAtRandom(FuzzTarget target, TimeSpan time, int seed)
{
    var mutator = new Mutator([.. FuzzTargets.Corpus(target.Name).Select(File.ReadAllBytes)], seed);
    var watch = Stopwatch.StartNew();
    var runs = 0L;
    var slowest = TimeSpan.Zero;
    byte[] slow = [];
    for (; watch.Elapsed < time; runs++)
    {
        var octets = mutator.Next();
        var began = watch.Elapsed;
        try
        {
            target.Fuzz(octets);
        }
        catch (Exception exception)
        {
            var file = Path.GetFullPath($"crash-{target.Name}-{seed}-{runs}");
            File.WriteAllBytes(file, octets);
            Console.Error.WriteLine($"{target.Name}: {exception}\nthe input is in {file}");
            return 1;
        }

        if (watch.Elapsed - began > slowest)
        {
            (slowest, slow) = (watch.Elapsed - began, octets);
        }
    }

    Console.WriteLine(FormattableString.Invariant(
        $"{target.Name}: {runs} inputs in {time.TotalSeconds:0} s, seed {seed}, slowest {slowest.TotalMilliseconds:0.0} ms of {slow.Length} octets"));
    return 0;
}
