using System.ComponentModel.DataAnnotations;
using System.Text.Json;

namespace Reelbase.Server.Features.Operations.Cleanup;

/// <summary>Section <c>Cleanup</c>: what is removed at night, and when. Videos are kept as long as <c>Generation:RetentionDays</c> says.</summary>
public sealed class CleanupOptions
{
    /// <summary>The hour (UTC) of the cleanup.</summary>
    [Range(0, 23)]
    public int AtHour { get; set; } = 3;

    /// <summary>Seconds between checks whether it is due.</summary>
    [Range(0.1, 3600)]
    public double LookSeconds { get; set; } = 60;

    /// <summary>Rows of one batch, which is one transaction.</summary>
    [Range(1, 10_000)]
    public int BatchRows { get; set; } = 500;

    /// <summary>Milliseconds between two batches, which belong to everybody else.</summary>
    [Range(0, 10_000)]
    public int PauseMilliseconds { get; set; } = 50;

    /// <summary>Batches of one kind in one night; the rest waits for the next.</summary>
    [Range(1, 1_000_000)]
    public int MaxBatches { get; set; } = 20_000;

    /// <summary>Days that pictures of users are kept after they were brought or replaced, longer while a job needs them. 0: for ever.</summary>
    [Range(0, 36_500)]
    public int UploadDays { get; set; } = 30;

    /// <summary>Days that taken places of rate limits are kept.</summary>
    [Range(1, 365)]
    public int RateLimitDays { get; set; } = 7;

    /// <summary>Days that errors are kept.</summary>
    [Range(1, 3650)]
    public int ErrorDays { get; set; } = 30;

    /// <summary>Days that the contents of handled messages are kept; their rows stay.</summary>
    [Range(1, 3650)]
    public int PayloadDays { get; set; } = 30;

    /// <summary>Days that used-up generations of refresh tokens are kept; one of them that comes again until then is known for stolen.</summary>
    [Range(1, 3650)]
    public int RefreshTokenDays { get; set; } = 30;

    /// <summary>Days that alerts are kept once they were sent.</summary>
    [Range(1, 3650)]
    public int AlertDays { get; set; } = 90;

    /// <summary>Days that a withdrawn consent is kept; the last of each kind always is.</summary>
    [Range(1, 3650)]
    public int ConsentDays { get; set; } = 365;

    /// <summary>Days that closed reports of content are kept.</summary>
    [Range(1, 3650)]
    public int ReportDays { get; set; } = 365;

    /// <summary>A balance above this many credits, or as far below zero, raises an alert.</summary>
    [Range(1, 1_000_000_000)]
    public int UnusualCredits { get; set; } = 10_000;

    /// <summary>Users whose ledgers are checked by one statement.</summary>
    [Range(1, 100_000)]
    public int LedgerCheckUsers { get; set; } = 1000;

    /// <summary>The rules as SQL reads them.</summary>
    internal string Rules(int videoDays) =>
        JsonSerializer.Serialize(
            new
            {
                video_days = videoDays,
                upload_days = UploadDays,
                rate_limit_days = RateLimitDays,
                error_days = ErrorDays,
                payload_days = PayloadDays,
                refresh_token_days = RefreshTokenDays,
                alert_days = AlertDays,
                consent_days = ConsentDays,
                report_days = ReportDays,
            }
        );
}
