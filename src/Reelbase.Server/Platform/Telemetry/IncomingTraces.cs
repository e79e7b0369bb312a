using System.Diagnostics;
using OpenTelemetry;
using OpenTelemetry.Context.Propagation;

namespace Reelbase.Server.Platform.Telemetry;

/// <summary>
/// A stranger's <c>traceparent</c> does not decide the trace of a request: it could force sampling, or put everybody's requests into one trace. The request
/// begins a trace of its own and keeps the stranger's as a link. <c>Telemetry:TrustIncomingTraces</c> is for a gateway of one's own that removes what phones send.
/// </summary>
public static class IncomingTraces
{
    /// <summary>Chooses what ASP.NET does with the header.</summary>
    public static void Add(IServiceCollection services, TelemetryOptions options)
    {
        if (options.TrustIncomingTraces)
        {
            return;
        }
        services.AddSingleton<DistributedContextPropagator>(new OutwardOnly(DistributedContextPropagator.Current));
        // With its default (trace and baggage) the instrumentation would read the header once more by itself.
        Sdk.SetDefaultTextMapPropagator(new TraceContextPropagator());
    }

    /// <summary>Middleware: remembers the trace that the caller named.</summary>
    public static Task LinkAsync(HttpContext context, RequestDelegate next)
    {
        if (
            Activity.Current is { } activity
            && context.Request.Headers.TraceParent is [{ } header]
            && ActivityContext.TryParse(header, null, isRemote: true, out var caller)
            && caller.TraceId != activity.TraceId
        )
        {
            activity.AddLink(new ActivityLink(caller));
        }
        return next(context);
    }

    /// <summary>Sends our trace to those whom we call, and takes none from those who call us.</summary>
    private sealed class OutwardOnly(DistributedContextPropagator inner) : DistributedContextPropagator
    {
        public override IReadOnlyCollection<string> Fields => inner.Fields;

        public override void Inject(Activity? activity, object? carrier, PropagatorSetterCallback? setter) => inner.Inject(activity, carrier, setter);

        public override void ExtractTraceIdAndState(object? carrier, PropagatorGetterCallback? getter, out string? traceId, out string? traceState) =>
            (traceId, traceState) = (null, null);

        public override IEnumerable<KeyValuePair<string, string?>>? ExtractBaggage(object? carrier, PropagatorGetterCallback? getter) => null;
    }
}
