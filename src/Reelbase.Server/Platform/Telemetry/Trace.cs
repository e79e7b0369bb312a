using System.Diagnostics;

namespace Reelbase.Server.Platform.Telemetry;

/// <summary>Work that goes on in the trace of the request that asked for it.</summary>
public interface ITraced
{
    /// <summary>The W3C traceparent of what asked for it; null when nobody knows.</summary>
    string? TraceParent { get; }

    /// <summary>The traceparent of what woke it, when that is another trace (a webhook).</summary>
    string? CausedBy => null;
}

/// <summary>The one source of Reelbase's own spans.</summary>
public static class Trace
{
    /// <summary>The name under which spans and meters are known.</summary>
    public const string Name = "Reelbase";

    private static readonly ActivitySource Source = new(Name);

    /// <summary>The present trace in W3C form, for a row that somebody goes on with later.</summary>
    public static string? Parent => Activity.Current is { IdFormat: ActivityIdFormat.W3C } activity ? activity.Id : null;

    /// <summary>Begins a span of work in the trace that its item belongs to. Without a listener the ids still travel, so that logs carry them.</summary>
    public static Activity? Begin(string name, object? item)
    {
        var traced = item as ITraced;
        var isKnown = ActivityContext.TryParse(traced?.TraceParent, null, isRemote: true, out var parent);
        var links = ActivityContext.TryParse(traced?.CausedBy, null, isRemote: true, out var cause) ? new[] { new ActivityLink(cause) } : null;
        if (Source.StartActivity(name, ActivityKind.Consumer, parent, links: links) is { } span)
        {
            return span;
        }
        var plain = new Activity(name);
        return (isKnown ? plain.SetParentId(parent.TraceId, parent.SpanId, parent.TraceFlags) : plain).Start();
    }
}
