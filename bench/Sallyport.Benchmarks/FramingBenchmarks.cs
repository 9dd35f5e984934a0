using System.Buffers;
using BenchmarkDotNet.Attributes;
using Sallyport.Mail.Relaying;
using Sallyport.Mail.Smtp;

namespace Sallyport.Benchmarks;

/// <summary>Content in (DATA, BDAT) and out again.</summary>
[MemoryDiagnoser]
public class FramingBenchmarks
{
    private static readonly SmtpLimits Limits = new();
    private readonly ArrayBufferWriter<byte> _output = new(256 * 1024);
    private byte[] _body = [];
    private byte[] _data = [];

    [Params(4 * 1024, 100 * 1024)]
    public int Bytes { get; set; }

    [GlobalSetup]
    public void Prepare()
    {
        _body = Samples.Body(Bytes);
        _data = [.. _body, .. ".\r\n"u8];
    }

    [Benchmark]
    public bool Data()
    {
        _output.ResetWrittenCount();
        return new DataDecoder(Limits).Decode(_data, _output, out _);
    }

    [Benchmark]
    public int Bdat()
    {
        _output.ResetWrittenCount();
        var decoder = new ChunkDecoder(Limits);
        decoder.Decode(_body, _output);
        decoder.Finish(_output);
        return _output.WrittenCount;
    }

    [Benchmark]
    public int Stuff()
    {
        _output.ResetWrittenCount();
        var stuffer = new DotStuffer();
        stuffer.Write(_body, _output);
        stuffer.Finish(_output);
        return _output.WrittenCount;
    }
}
