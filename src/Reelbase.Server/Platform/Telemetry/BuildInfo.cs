using System.Diagnostics.Metrics;

namespace Reelbase.Server.Platform.Telemetry;

/// <summary>Which program answers, as labels of a gauge that is always one.</summary>
internal static class BuildInfo
{
    private static readonly Meter Meter = new("Reelbase.Build");
    private static readonly ObservableGauge<int> Gauge = Meter.CreateObservableGauge(
        "reelbase.build.info",
        () =>
            new Measurement<int>(
                1,
                new KeyValuePair<string, object?>("version", ProgramVersion.Release),
                new("commit", ProgramVersion.Commit),
                new("schema", ProgramVersion.Schema)
            ),
        description: "Which program this is"
    );

    /// <summary>Makes the gauge, once for the process.</summary>
    public static void Publish() => _ = Gauge.Enabled;
}
