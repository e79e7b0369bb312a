using System.ComponentModel.DataAnnotations;

namespace Reelbase.Server.Features.Supabase;

/// <summary>Section <c>Supabase</c>: what the endpoints of Supabase's clients offer.</summary>
public sealed class SupabaseOptions
{
    /// <summary>Whether <c>/auth/v1/signup</c> makes guests. They have proved no device and get no free credits.</summary>
    public bool AnonymousSignUps { get; set; } = true;

    /// <summary>Guests that one address may make like that per window. Negative: unlimited.</summary>
    [Range(-1, 1_000_000)]
    public int AnonymousSignUpsPerWindow { get; set; } = 30;

    /// <summary>Length of that window in seconds.</summary>
    [Range(1, 86_400)]
    public int AnonymousSignUpWindowSeconds { get; set; } = 3600;
}
