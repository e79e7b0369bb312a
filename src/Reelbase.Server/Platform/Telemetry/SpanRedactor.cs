using System.Diagnostics;
using OpenTelemetry;

namespace Reelbase.Server.Platform.Telemetry;

/// <summary>
/// Takes out of each span what may not be exported: paths carry webhook tokens, file names, push tokens and a bot's key, queries carry
/// signatures, and addresses name people. What stays is the route or the host.
/// </summary>
public sealed class SpanRedactor : BaseProcessor<Activity>
{
    private static readonly string[] Forbidden =
    [
        "url.query",
        "user_agent.original",
        "client.address",
        "client.port",
        "network.peer.address",
        "network.peer.port",
        "http.client_ip",
        "db.connection_string",
    ];

    /// <inheritdoc/>
    public override void OnEnd(Activity data)
    {
        foreach (var tag in Forbidden)
        {
            data.SetTag(tag, null);
        }
        if (data.GetTagItem("url.full") is string full)
        {
            data.SetTag("url.full", Uri.TryCreate(full, UriKind.Absolute, out var uri) ? uri.GetLeftPart(UriPartial.Authority) : null);
        }
        if (data.GetTagItem("url.path") is string)
        {
            data.SetTag("url.path", data.GetTagItem("http.route"));
        }
        if (data.StatusDescription is { Length: > 0 } description)
        {
            data.SetStatus(data.Status, Redactor.Clean(description));
        }
    }
}
