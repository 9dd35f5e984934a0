using System.Diagnostics.Metrics;
using System.Globalization;
using System.Text;

namespace Sallyport.Server.Telemetry;

/// <summary>
/// Listens to our instruments and writes them in Prometheus' text form, version 0.0.4. Labels have values of our own only, so there are
/// as many series as the code names.
/// </summary>
public sealed class PrometheusText : IDisposable
{
    public const string ContentType = "text/plain; version=0.0.4; charset=utf-8";

    private readonly MeterListener _listener = new();
    private readonly Lock _gate = new();
    private readonly SortedDictionary<string, Family> _families = new(StringComparer.Ordinal);

    public PrometheusText(Meter meter)
    {
        _listener.InstrumentPublished = (instrument, listener) =>
        {
            if (ReferenceEquals(instrument.Meter, meter))
            {
                lock (_gate)
                {
                    _families.TryAdd(instrument.Name, new Family(instrument is Counter<long>, instrument.Description ?? "")
                    {
                        Bounds = (instrument as Histogram<double>)?.Advice?.HistogramBucketBoundaries ?? [],
                    });
                }

                listener.EnableMeasurementEvents(instrument);
            }
        };
        _listener.SetMeasurementEventCallback<long>(Take);
        _listener.SetMeasurementEventCallback<double>(Observe);
        _listener.Start();
    }

    private sealed record Family(bool Counts, string Description)
    {
        public SortedDictionary<string, long> Series { get; } = new(StringComparer.Ordinal);

        /// <summary>Upper bounds of a histogram's buckets; empty for anything else.</summary>
        public IReadOnlyList<double> Bounds { get; init; } = [];

        /// <summary>How many fell into each bucket; the last has no bound.</summary>
        public long[] Buckets => field ??= new long[Bounds.Count + 1];

        public double Sum { get; set; }
    }

    public string Write()
    {
        _listener.RecordObservableInstruments();
        var text = new StringBuilder();
        lock (_gate)
        {
            foreach (var (name, family) in _families)
            {
                text.Append("# HELP ").Append(name).Append(' ').Append(family.Description).Append('\n');
                if (family.Bounds.Count > 0)
                {
                    WriteHistogram(text, name, family);
                    continue;
                }

                text.Append("# TYPE ").Append(name).Append(family.Counts ? " counter\n" : " gauge\n");
                foreach (var (labels, value) in family.Series)
                {
                    text.Append(name).Append(labels).Append(' ').Append(value.ToString(CultureInfo.InvariantCulture)).Append('\n');
                }
            }
        }

        return text.ToString();
    }

    public void Dispose() => _listener.Dispose();

    /// <summary>Each bucket counts all below its bound, as Prometheus has it.</summary>
    private static void WriteHistogram(StringBuilder text, string name, Family family)
    {
        text.Append("# TYPE ").Append(name).Append(" histogram\n");
        var count = 0L;
        for (var i = 0; i < family.Buckets.Length; i++)
        {
            count += family.Buckets[i];
            text.Append(name).Append("_bucket{le=\"").Append(i < family.Bounds.Count ? Number(family.Bounds[i]) : "+Inf").Append("\"} ")
                .Append(Number(count)).Append('\n');
        }

        text.Append(name).Append("_sum ").Append(Number(family.Sum)).Append('\n');
        text.Append(name).Append("_count ").Append(Number(count)).Append('\n');
    }

    private static string Number(double value) => value.ToString(CultureInfo.InvariantCulture);

    private void Observe(Instrument instrument, double value, ReadOnlySpan<KeyValuePair<string, object?>> tags, object? state)
    {
        lock (_gate)
        {
            if (_families.TryGetValue(instrument.Name, out var family))
            {
                var bucket = 0;
                while (bucket < family.Bounds.Count && value > family.Bounds[bucket])
                {
                    bucket++;
                }

                family.Buckets[bucket]++;
                family.Sum += value;
            }
        }
    }

    private void Take(Instrument instrument, long value, ReadOnlySpan<KeyValuePair<string, object?>> tags, object? state)
    {
        var labels = tags.Length == 0 ? "" : Labels(tags);
        lock (_gate)
        {
            if (_families.TryGetValue(instrument.Name, out var family))
            {
                family.Series[labels] = family.Counts ? family.Series.GetValueOrDefault(labels) + value : value;
            }
        }
    }

    private static string Labels(ReadOnlySpan<KeyValuePair<string, object?>> tags)
    {
        var text = new StringBuilder("{");
        foreach (var (name, value) in tags)
        {
            text.Append(text.Length > 1 ? "," : "").Append(name).Append("=\"").Append(value).Append('"');
        }

        return text.Append('}').ToString();
    }
}
