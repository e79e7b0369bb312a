namespace Reelbase.Bench.Speed;

/// <summary>One round: answers per second, milliseconds of each by percentile, and what an answer cost.</summary>
/// <param name="ServerMicros">CPU of the program that answers, microseconds an answer; NaN where there is none.</param>
/// <param name="DatabaseMicros">CPU of PostgreSQL, microseconds an answer.</param>
/// <param name="AllocatedBytes">Bytes that .NET allocated for an answer; NaN where nobody counts them.</param>
public sealed record Sample(double PerSecond, double P50, double P95, double P99, double ServerMicros, double DatabaseMicros, double AllocatedBytes);

/// <summary>The rounds of one thing that was measured.</summary>
public sealed record Series(string Name, List<Sample> Samples)
{
    public double PerSecond => Median(sample => sample.PerSecond);
    public double P50 => Median(sample => sample.P50);
    public double P95 => Median(sample => sample.P95);
    public double P99 => Median(sample => sample.P99);
    public double ServerMicros => Median(sample => sample.ServerMicros);
    public double DatabaseMicros => Median(sample => sample.DatabaseMicros);
    public double AllocatedBytes => Median(sample => sample.AllocatedBytes);
    public double Lowest => Samples.Min(sample => sample.PerSecond);
    public double Highest => Samples.Max(sample => sample.PerSecond);

    private double Median(Func<Sample, double> value) => Samples.Select(value).Order().ElementAt(Samples.Count / 2);
}

/// <summary>What was measured in turns with each other.</summary>
public sealed record Group(string Name, List<Series> Series);
