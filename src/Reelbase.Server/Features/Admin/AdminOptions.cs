using System.ComponentModel.DataAnnotations;
using System.Text.Json;
using Reelbase.Server.Platform;

namespace Reelbase.Server.Features.Admin;

/// <summary>Section <c>Admin</c>: the console at <c>/admin</c> and the admin API.</summary>
public sealed class AdminOptions : IValidatableObject
{
    /// <summary>An address of its own (<c>http://10.0.0.5:5090</c>) that alone serves the console and the admin API, so that they can be private. Absent: they are served like the rest.</summary>
    public string? ListenUrl { get; set; }

    /// <summary>The console's address as browsers see it (<c>https://console.example.com</c>), when it is another than <c>Server:PublicUrl</c>. Passkeys belong to its host name: after a change they are made anew. They need https and a name, not a number.</summary>
    public string? PublicUrl { get; set; }

    /// <summary>INSECURE: in Production, let <see cref="ListenUrl"/> be plain http, where everybody on the way can read passwords and cookies; for an address that is reached through a tunnel only.</summary>
    public bool AllowInsecure { get; set; }

    /// <summary>The most credits that one action may give or take.</summary>
    [Range(1, 100_000)]
    public int MaxCredits { get; set; } = 1000;

    /// <summary>What one action gives above this many credits waits for the approval of another admin (an operator); -1: nothing does.</summary>
    [Range(-1, 100_000)]
    public int ApprovalAbove { get; set; } = 500;

    /// <summary>Hours after which a request that nobody has approved is void.</summary>
    [Range(1, 720)]
    public int ApprovalHours { get; set; } = 24;

    /// <summary>Credits that an admin of the role support may give in any 24 hours, refunds and adjustments together; -1: no sum.</summary>
    [Range(-1, 10_000_000)]
    public int SupportDailyCredits { get; set; } = 500;

    /// <summary>Minutes after which a console session ends, however busy.</summary>
    [Range(1, 1440)]
    public int SessionMinutes { get; set; } = 480;

    /// <summary>Minutes without a request after which it ends.</summary>
    [Range(1, 1440)]
    public int IdleMinutes { get; set; } = 30;

    /// <summary>Failed attempts to sign in after which an account is locked at the address that they came from.</summary>
    [Range(1, 100)]
    public int MaxFailedAttempts { get; set; } = 5;

    /// <summary>Seconds of such a lock; as many seconds without a failure take one failure off again.</summary>
    [Range(1, 86_400)]
    public int LockSeconds { get; set; } = 300;

    /// <summary>Attempts to sign in that an address (an IPv6 /64) has in <see cref="AttemptWindowSeconds"/>; one that succeeds does not count.</summary>
    [Range(1, 10_000)]
    public int AttemptsPerAddress { get; set; } = 20;

    /// <summary>The window of <see cref="AttemptsPerAddress"/> in seconds.</summary>
    [Range(1, 86_400)]
    public int AttemptWindowSeconds { get; set; } = 300;

    /// <summary>Passwords that a node hashes at a time; each costs a core a tenth of a second.</summary>
    [Range(1, 64)]
    public int MaxConcurrentSignIns { get; set; } = 1;

    /// <inheritdoc/>
    public IEnumerable<ValidationResult> Validate(ValidationContext validationContext)
    {
        if (ListenUrl is { Length: > 0 } own && !IsListenAddress(own))
        {
            yield return new("must be an address to listen at, such as http://10.0.0.5:5090", [nameof(ListenUrl)]);
        }
        if (PublicUrl is { Length: > 0 } url && !ServerOptions.IsWebAddress(url))
        {
            yield return new("must be an address such as https://console.example.com", [nameof(PublicUrl)]);
        }
    }

    // As Kestrel reads it, which takes http://+:5090 too.
    private static bool IsListenAddress(string text)
    {
        try
        {
            return BindingAddress.Parse(text) is { Scheme: "http" or "https", PathBase: "" };
        }
        catch (FormatException)
        {
            return false;
        }
    }

    /// <summary>The rules of giving credits as SQL reads them.</summary>
    internal string CreditRules() =>
        JsonSerializer.Serialize(
            new
            {
                max_credits = MaxCredits,
                approval_above = ApprovalAbove,
                approval_hours = ApprovalHours,
                support_daily_credits = SupportDailyCredits,
            }
        );
}
