using System.ComponentModel.DataAnnotations;

namespace Reelbase.Server.Platform.Security;

/// <summary>Section <c>Security</c>: keys and the life of sessions.</summary>
public sealed class SecurityOptions
{
    /// <summary>File with the EC P-256 private key (PEM) that signs access tokens. Development makes one in the data directory.</summary>
    public string? SigningKeyFile { get; set; }

    /// <summary>The same key as text, for environments that hand secrets out as variables.</summary>
    public string? SigningKey { get; set; }

    /// <summary>Earlier public keys (PEM) whose tokens still count: anon keys compiled into apps live as long as the app.</summary>
    public string[] PreviousPublicKeys { get; set; } = [];

    /// <summary>At least 32 characters of secret; refresh tokens and file addresses are made from it.</summary>
    public string? TokenSecret { get; set; }

    /// <summary>File with the secret, instead of <see cref="TokenSecret"/>.</summary>
    public string? TokenSecretFile { get; set; }

    /// <summary>
    /// The JWT secret of the Supabase project that the app came from. While <c>Server:AcceptUnverifiedUserId</c> is open, that project's anon keys (HS256), which are
    /// compiled into shipped builds, are anon keys here; its service keys and its users' tokens never count.
    /// </summary>
    public string? FormerSupabaseJwtSecret { get; set; }

    /// <summary>Life of an access token.</summary>
    [Range(60, 86_400)]
    public int AccessTokenSeconds { get; set; } = 3600;

    /// <summary>How long after a rotation an older refresh token is taken for a retry and not for a theft.</summary>
    [Range(0, 300)]
    public int RefreshReuseSeconds { get; set; } = 10;

    /// <summary>Generations in a row in which a refresh token's predecessor may come late before the session ends: two who hold one session look like that.</summary>
    [Range(2, 1000)]
    public int MaxLateRefreshGenerations { get; set; } = 5;

    /// <summary>Sessions that one user has at once; the ones that were idle longest end.</summary>
    [Range(1, 10_000)]
    public int MaxSessionsPerUser { get; set; } = 50;

    /// <summary>
    /// Days after which a session in an app ends whatever happens, and its refresh tokens with it; the phone then opens a new one by device check or Apple. 0: no end by age.
    /// </summary>
    [Range(0, 3650)]
    public int MaxSessionDays { get; set; }
}
