using OpenTelemetry;
using OpenTelemetry.Logs;

namespace Reelbase.Server.Platform.Telemetry;

/// <summary>The same net under the logs that leave through OpenTelemetry.</summary>
public sealed class LogRedactor : BaseProcessor<LogRecord>
{
    /// <inheritdoc/>
    public override void OnEnd(LogRecord data)
    {
        if (data.FormattedMessage is { } message)
        {
            data.FormattedMessage = Redactor.Clean(message);
        }
        if (data.Attributes is { } attributes)
        {
            data.Attributes =
            [
                .. attributes.Select(pair => new KeyValuePair<string, object?>(pair.Key, pair.Value is string text ? Redactor.Clean(text) : pair.Value)),
            ];
        }
    }
}
