using System.ComponentModel.DataAnnotations;

namespace Reelbase.Server.Platform.Telemetry;

/// <summary>Section <c>Telemetry</c>: where traces, metrics and logs go. Without anything set, <c>/metrics</c> is served to private addresses outside Production and the rest is off.</summary>
public sealed class TelemetryOptions
{
    /// <summary>An OpenTelemetry collector (<c>http://collector:4318</c>) for traces, metrics and logs; none when absent.</summary>
    [Url]
    public string? OtlpEndpoint { get; set; }

    /// <summary>How it is spoken to: <c>http/protobuf</c> or <c>grpc</c>.</summary>
    [RegularExpression("^(http/protobuf|grpc)$", ErrorMessage = "must be http/protobuf or grpc")]
    public string OtlpProtocol { get; set; } = "http/protobuf";

    /// <summary>Headers for it, as <c>name=value,name=value</c>: a secret when they hold a key.</summary>
    public string? OtlpHeaders { get; set; }

    /// <summary>Share of traces that begin here and are kept.</summary>
    [Range(0, 1)]
    public double TraceShare { get; set; } = 1;

    /// <summary>What this installation is called there.</summary>
    [Required]
    public string ServiceName { get; set; } = "reelbase";

    /// <summary>A bearer token that <c>/metrics</c> asks for. Without it nobody may read in Production, and elsewhere only loopback and private addresses that no unknown proxy speaks for.</summary>
    public string? MetricsToken { get; set; }

    /// <summary>Whether the <c>traceparent</c> of a request decides its trace; only behind a gateway of your own that removes what phones send.</summary>
    public bool TrustIncomingTraces { get; set; }

    /// <summary>Seconds between two readings of the numbers that come from the database.</summary>
    [Range(0.1, 3600)]
    public double StatisticsSeconds { get; set; } = 10;

    /// <summary>Logs as one JSON object a line; absent: in Production.</summary>
    public bool? JsonLogs { get; set; }

    /// <summary>Sentry's address (DSN); errors of ours go there, without bodies, headers or addresses.</summary>
    [Url]
    public string? SentryDsn { get; set; }
}
