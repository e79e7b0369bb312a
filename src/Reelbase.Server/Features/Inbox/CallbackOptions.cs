using System.ComponentModel.DataAnnotations;

namespace Reelbase.Server.Features.Inbox;

/// <summary>Section <c>Callbacks</c>: how often the handling of a stored webhook is tried.</summary>
public sealed class CallbackOptions
{
    /// <summary>Further tries after the first; then the delivery is failed and waits for an operator (<c>admin resend-delivery</c>).</summary>
    [Range(0, 100)]
    public int MaxRetries { get; set; } = 8;

    /// <summary>Claims of one delivery, whatever came of them, after which it is failed: one that kills its worker or raises comes to an end too.</summary>
    [Range(2, 1000)]
    public int MaxClaims { get; set; } = 20;

    /// <summary>First pause before another try; doubles.</summary>
    [Range(0.01, 60)]
    public double RetryBaseSeconds { get; set; } = 1;

    /// <summary>Longest such pause.</summary>
    [Range(0.01, 3600)]
    public double RetryCapSeconds { get; set; } = 30;
}
