using System.Net;
using System.Security.Cryptography;
using System.Text;
using Npgsql;
using OpenTelemetry.Exporter;
using OpenTelemetry.Logs;
using OpenTelemetry.Metrics;
using OpenTelemetry.Resources;
using OpenTelemetry.Trace;
using Reelbase.Server.Platform.Http;

namespace Reelbase.Server.Platform.Telemetry;

/// <summary>Puts traces, metrics, logs and reports of errors together.</summary>
public static class TelemetrySetup
{
    private static readonly double[] SecondsOfWork = [1, 2.5, 5, 10, 20, 40, 60, 90, 120, 180, 300, 600, 900, 1800, 2700];

    /// <summary>Adds what the section asks for.</summary>
    public static void Add(WebApplicationBuilder builder)
    {
        var options = builder.Configuration.GetSection("Telemetry").Get<TelemetryOptions>() ?? new();
        BuildInfo.Publish();
        IncomingTraces.Add(builder.Services, options);
        builder.Logging.AddConsoleFormatter<JsonLogFormatter, Microsoft.Extensions.Logging.Console.ConsoleFormatterOptions>();
        if (options.JsonLogs ?? builder.Environment.IsProduction())
        {
            builder.Logging.AddConsole(console => console.FormatterName = JsonLogFormatter.FormatterName);
        }
        var telemetry = builder
            .Services.AddOpenTelemetry()
            .ConfigureResource(resource => resource.AddService(options.ServiceName, serviceVersion: ProgramVersion.Release))
            .WithMetrics(metrics =>
            {
                metrics
                    .AddMeter("Reelbase*", "Npgsql")
                    .AddAspNetCoreInstrumentation()
                    .AddRuntimeInstrumentation()
                    .AddView("reelbase.job.duration", new ExplicitBucketHistogramConfiguration { Boundaries = SecondsOfWork })
                    .AddPrometheusExporter();
                if (options.OtlpEndpoint is { Length: > 0 })
                {
                    metrics.AddOtlpExporter(otlp => Configure(otlp, options, "metrics"));
                }
            });
        if (options.OtlpEndpoint is { Length: > 0 })
        {
            telemetry
                .WithTracing(traces =>
                    traces
                        .AddSource(Trace.Name)
                        .AddNpgsql()
                        // Probes and scrapes would be most of what there is, and say nothing.
                        .AddAspNetCoreInstrumentation(http => http.Filter = context => !IsProbe(context.Request.Path))
                        .AddHttpClientInstrumentation()
                        .SetSampler(new ParentBasedSampler(new TraceIdRatioBasedSampler(options.TraceShare)))
                        .AddProcessor(new SpanRedactor())
                        .AddOtlpExporter(otlp => Configure(otlp, options, "traces"))
                )
                .WithLogging(
                    logs => logs.AddProcessor(new LogRedactor()).AddOtlpExporter(otlp => Configure(otlp, options, "logs")),
                    logs => logs.IncludeFormattedMessage = true
                );
        }
        if (options.SentryDsn is { Length: > 0 } dsn)
        {
            builder.WebHost.UseSentry(sentry =>
            {
                sentry.Dsn = dsn;
                sentry.SendDefaultPii = false;
                sentry.MaxRequestBodySize = Sentry.Extensibility.RequestSize.None;
                sentry.AutoSessionTracking = false;
                sentry.ServerName = "";
                sentry.SetBeforeBreadcrumb((_, _) => null);
                sentry.SetBeforeSend(
                    (sent, _) =>
                    {
                        // The trace and the route find everything else in our own logs.
                        sent.Request = new SentryRequest { Method = sent.Request.Method };
                        sent.User = new SentryUser();
                        foreach (var exception in sent.SentryExceptions ?? [])
                        {
                            exception.Value = exception.Value is null ? null : Redactor.Clean(exception.Value);
                        }
                        if (sent.Message is { } message)
                        {
                            sent.Message = new SentryMessage
                            {
                                Message = message.Message,
                                Formatted = Redactor.Clean(message.Formatted ?? message.Message ?? ""),
                            };
                        }
                        return sent;
                    }
                );
            });
        }
    }

    /// <summary>Serves <c>/metrics</c> to whoever may read it; to anybody else it does not exist.</summary>
    public static void MapMetrics(WebApplication app, TelemetryOptions options) =>
        app.MapPrometheusScrapingEndpoint("/metrics")
            .ExcludeFromDescription()
            .AddEndpointFilterFactory((_, next) => next)
            .Add(endpoint =>
            {
                var serve = endpoint.RequestDelegate!;
                endpoint.RequestDelegate = context =>
                {
                    if (MayRead(context, options.MetricsToken, app.Environment.IsProduction()))
                    {
                        return serve(context);
                    }
                    context.Response.StatusCode = 404;
                    return Task.CompletedTask;
                };
            });

    private static bool IsProbe(PathString path) => path.StartsWithSegments("/health") || path.StartsWithSegments("/metrics");

    private static void Configure(OtlpExporterOptions otlp, TelemetryOptions options, string signal)
    {
        otlp.Protocol = options.OtlpProtocol == "grpc" ? OtlpExportProtocol.Grpc : OtlpExportProtocol.HttpProtobuf;
        otlp.Endpoint = new Uri(options.OtlpProtocol == "grpc" ? options.OtlpEndpoint! : $"{options.OtlpEndpoint!.TrimEnd('/')}/v1/{signal}");
        otlp.Headers = options.OtlpHeaders;
    }

    private static bool MayRead(HttpContext context, string? token, bool isProduction)
    {
        if (token is { Length: > 0 })
        {
            var given = context.Request.Headers.Authorization.ToString();
            return CryptographicOperations.FixedTimeEquals(Encoding.UTF8.GetBytes(given), Encoding.UTF8.GetBytes($"Bearer {token}"));
        }
        // In Production a proxy on the same machine may pass everybody on without saying so: only a token distinguishes the operator from everybody else.
        return !isProduction && !ClientAddress.IsForwardedByStranger(context) && context.Connection.RemoteIpAddress is { } address && IsPrivate(address);
    }

    private static bool IsPrivate(IPAddress address)
    {
        var plain = address.IsIPv4MappedToIPv6 ? address.MapToIPv4() : address;
        var bytes = plain.GetAddressBytes();
        return IPAddress.IsLoopback(plain)
            || plain.IsIPv6UniqueLocal
            || (bytes.Length == 4 && (bytes[0] == 10 || (bytes[0] == 172 && bytes[1] is >= 16 and < 32) || (bytes[0] == 192 && bytes[1] == 168)));
    }
}
