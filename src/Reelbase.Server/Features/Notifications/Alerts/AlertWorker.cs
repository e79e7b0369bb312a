using System.Globalization;
using System.Text;
using System.Text.Json;
using Microsoft.Extensions.Options;
using Reelbase.Server.Integrations;
using Reelbase.Server.Integrations.Telegram;
using Reelbase.Server.Platform.Database;
using Reelbase.Server.Platform.Work;

namespace Reelbase.Server.Features.Notifications.Alerts;

/// <summary>An alert that has to be sent.</summary>
public sealed record ClaimedAlert(long Id, string Kind, string Message, DateTime CreatedAt, int Attempt);

/// <summary>
/// Notifies the operator through Telegram, a webhook, or both: bundled, never faster than allowed, and again until it was accepted. A flood of alerts
/// becomes a few messages.
/// </summary>
public sealed class AlertWorker(
    WorkerDatabase database,
    TelegramClient telegram,
    IHttpClientFactory clients,
    IOptions<AlertsOptions> options,
    TimeProvider clock,
    ILogger<AlertWorker> logger
) : PeriodicWork(logger)
{
    /// <summary>The name of its HTTP client.</summary>
    public const string ClientName = "alert-webhook";

    private const int LeaseSeconds = 60;
    private const int MaxBundledAttempts = 3;
    private const double RetryBaseSeconds = 5;
    private const double RetryCapSeconds = 600;

    /// <inheritdoc/>
    protected override TimeSpan Pause => TimeSpan.FromSeconds(options.Value.MinSecondsBetween);

    /// <inheritdoc/>
    protected override bool IsOn => telegram.IsConfigured || options.Value.WebhookUrl is { Length: > 0 };

    /// <inheritdoc/>
    protected override async Task RunOnceAsync(CancellationToken stoppingToken)
    {
        if (options.Value.ActivitySeconds > 0)
        {
            // A summary that cannot be made keeps no alert back.
            await TryAsync(
                "sum the activity up",
                () =>
                    database.ExecuteAsync(
                        "select raise_activity($1, $2, $3)",
                        stoppingToken,
                        options.Value.ActivitySeconds,
                        options.Value.ManyUnauthorized,
                        options.Value.ManyLimited
                    ),
                stoppingToken
            );
        }
        await SendDueAsync(stoppingToken);
    }

    private async Task SendDueAsync(CancellationToken cancellationToken)
    {
        var claimToken = ClaimToken.New();
        var alerts = await database.ListAsync<ClaimedAlert>(
            "select * from claim_alerts($1, $2, $3, $4)",
            cancellationToken,
            claimToken,
            LeaseSeconds,
            options.Value.MaxPerMessage,
            options.Value.MaxAttempts + 1
        );
        alerts.Sort((one, other) => one.Id.CompareTo(other.Id));
        // One that no channel takes may not take those with it that were only bundled with it: after some attempts each goes alone.
        var bundles = alerts.Where(alert => alert.Attempt > MaxBundledAttempts).Select(alert => new List<ClaimedAlert> { alert }).ToList();
        bundles.Insert(0, alerts.FindAll(alert => alert.Attempt <= MaxBundledAttempts));
        foreach (var bundle in bundles.Where(bundle => bundle.Count > 0))
        {
            await SendBundleAsync(bundle, claimToken, cancellationToken);
        }
    }

    private async Task SendBundleAsync(List<ClaimedAlert> alerts, string claimToken, CancellationToken cancellationToken)
    {
        var (reason, wait) = await SendAsync(alerts, cancellationToken) ?? (null, null);
        if (reason is not null)
        {
            logger.LogWarning("{Count} alerts could not be sent ({Reason}); retrying", alerts.Count, reason);
        }
        await database.ExecuteAsync(
            "select finish_alerts($1, $2, $3, $4::double precision, $5)",
            CancellationToken.None,
            alerts.Select(alert => alert.Id).ToArray(),
            claimToken,
            reason,
            reason is null ? null : Math.Max(wait ?? 0, Backoff.Seconds(alerts[0].Attempt, RetryBaseSeconds, RetryCapSeconds)),
            options.Value.MaxAttempts
        );
    }

    private async Task<(string? Reason, double? RetryAfterSeconds)?> SendAsync(List<ClaimedAlert> alerts, CancellationToken cancellationToken)
    {
        using var limit = CancellationTokenSource.CreateLinkedTokenSource(cancellationToken);
        limit.CancelAfter(TimeSpan.FromSeconds(options.Value.TimeoutSeconds));
        try
        {
            // Whoever heard it already hears it once more when the other channel fails, which is better than one not hearing it.
            if (telegram.IsConfigured && await telegram.SendAsync(Text(alerts), limit.Token) is { } refused)
            {
                return refused;
            }
            return options.Value.WebhookUrl is { Length: > 0 } url ? await PostAsync(url, alerts, limit.Token) : null;
        }
        catch (Exception error) when (!cancellationToken.IsCancellationRequested)
        {
            // The name alone: an address of Telegram holds the bot's token.
            return (error.GetType().Name, null);
        }
    }

    private async Task<(string?, double?)?> PostAsync(string url, List<ClaimedAlert> alerts, CancellationToken cancellationToken)
    {
        var body = JsonSerializer.SerializeToUtf8Bytes(
            new
            {
                type = "reelbase.alerts",
                alerts = alerts.Select(alert => new
                {
                    id = alert.Id,
                    kind = alert.Kind,
                    message = alert.Message,
                    created_at = Platform.Http.Json.Time(alert.CreatedAt),
                }),
            }
        );
        using var request = new HttpRequestMessage(HttpMethod.Post, url) { Content = new ByteArrayContent(body) };
        request.Content.Headers.ContentType = new("application/json");
        if (options.Value.WebhookSecret is { Length: > 0 } secret)
        {
            var id = $"alerts-{alerts[0].Id}-{alerts[^1].Id}";
            var timestamp = clock.GetUtcNow().ToUnixTimeSeconds().ToString(CultureInfo.InvariantCulture);
            request.Headers.Add("webhook-id", id);
            request.Headers.Add("webhook-timestamp", timestamp);
            request.Headers.Add("webhook-signature", "v1," + StandardWebhooks.Sign(secret, [.. Encoding.UTF8.GetBytes($"{id}.{timestamp}."), .. body]));
        }
        using var response = await clients.CreateClient(ClientName).SendAsync(request, cancellationToken);
        return response.IsSuccessStatusCode ? null : ($"the webhook answered {(int)response.StatusCode}", null);
    }

    /// <summary>One line an alert; what was said several times is said once, with how often.</summary>
    private static string Text(List<ClaimedAlert> alerts) =>
        string.Join(
            '\n',
            alerts
                .GroupBy(alert => (alert.Kind, alert.Message))
                .Select(group => $"[{group.Key.Kind}] {group.Key.Message}{(group.Count() > 1 ? $" ({group.Count()} times)" : "")}")
        );
}
