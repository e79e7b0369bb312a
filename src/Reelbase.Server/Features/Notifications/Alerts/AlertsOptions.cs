using System.ComponentModel.DataAnnotations;
using Reelbase.Server.Integrations;

namespace Reelbase.Server.Features.Notifications.Alerts;

/// <summary>Section <c>Alerts</c>: how the operator is notified. Without Telegram and without an address, alerts stay in the log and in the table.</summary>
public sealed class AlertsOptions
{
    /// <summary>An address that gets every message as signed JSON (Standard Webhooks).</summary>
    [Url]
    public string? WebhookUrl { get; set; }

    /// <summary>The secret that signs it, base64 after <c>whsec_</c>.</summary>
    [WebhookSecret]
    public string? WebhookSecret { get; set; }

    /// <summary>Seconds between two messages: what comes in between is bundled.</summary>
    [Range(0.05, 3600)]
    public double MinSecondsBetween { get; set; } = 10;

    /// <summary>Alerts of one message.</summary>
    [Range(1, 100)]
    public int MaxPerMessage { get; set; } = 20;

    /// <summary>Attempts to send an alert.</summary>
    [Range(1, 1000)]
    public int MaxAttempts { get; set; } = 50;

    /// <summary>Seconds between two summaries of what has happened; 0: none.</summary>
    [Range(0, 86_400)]
    public int ActivitySeconds { get; set; } = 3600;

    /// <summary>So many requests without permission between two summaries are an alert of their own.</summary>
    [Range(1, 1_000_000)]
    public int ManyUnauthorized { get; set; } = 200;

    /// <summary>So many requests over a limit between two summaries are an alert of their own.</summary>
    [Range(1, 1_000_000)]
    public int ManyLimited { get; set; } = 200;

    /// <summary>Seconds until a channel is given up.</summary>
    [Range(0.1, 60)]
    public double TimeoutSeconds { get; set; } = 10;
}
