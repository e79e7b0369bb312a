using System.ComponentModel.DataAnnotations;
using System.Text.Json;
using Reelbase.Server.Features.Catalog.AppSettings;

namespace Reelbase.Server.Features.Credits.PromoCodes;

/// <summary>Section <c>PromoCodes</c>: limits against guessing.</summary>
public sealed class PromoCodesOptions
{
    /// <summary>Wrong codes that a user may try per window; after that right ones are refused too. Negative: unlimited.</summary>
    [Range(-1, 1_000_000)]
    public int MissesPerWindow { get; set; } = 10;

    /// <summary>The same for everybody behind one address (an IPv6 /64); phones share addresses, so it is wider.</summary>
    [Range(-1, 1_000_000)]
    public int MissesPerAddressPerWindow { get; set; } = 60;

    /// <summary>Length of the window.</summary>
    [Range(1, 86_400)]
    public int WindowSeconds { get; set; } = 3600;

    /// <summary>The limits as SQL reads them.</summary>
    internal string Limits(ServerLimits limits) =>
        JsonSerializer.Serialize(
            new
            {
                misses = limits.OrNone("PromoCodes:MissesPerWindow", MissesPerWindow),
                misses_by_address = limits.OrNone("PromoCodes:MissesPerAddressPerWindow", MissesPerAddressPerWindow),
                window_seconds = WindowSeconds,
            }
        );
}
