using System.ComponentModel.DataAnnotations;

namespace Reelbase.Server.Platform;

/// <summary>Section <c>Server</c>: what this process does and how it is reached.</summary>
public sealed class ServerOptions
{
    /// <summary>The address that phones and providers use; makes links, webhook addresses and the token issuer.</summary>
    public string? PublicUrl { get; set; }

    /// <summary>What this process does: api, worker, admin.</summary>
    public string[] Roles { get; set; } = [];

    /// <summary>Where files, keys and the private PostgreSQL live.</summary>
    [Required]
    public string DataDirectory { get; set; } = ".reelbase";

    /// <summary>Addresses of proxies whose X-Forwarded-For is believed. Development also believes loopback.</summary>
    public string[] TrustedProxies { get; set; } = [];

    /// <summary>Origins of web apps (<c>https://app.example</c>) whose pages may call this API from a browser; none by default.</summary>
    public string[] CorsOrigins { get; set; } = [];

    /// <summary>
    /// INSECURE, for a migration period only: accept requests of shipped apps that carry an anon key and a user_id instead of the
    /// user's token. Anybody who knows a user_id can then act as that user.
    /// </summary>
    public bool AcceptUnverifiedUserId { get; set; }

    /// <summary>Whether this process has a role; no roles named means all of them.</summary>
    public bool Has(string role) => Roles.Length == 0 || Roles.Contains(role, StringComparer.OrdinalIgnoreCase);
}
