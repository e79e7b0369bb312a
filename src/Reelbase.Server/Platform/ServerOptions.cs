using System.ComponentModel.DataAnnotations;
using System.Net;
using System.Text.RegularExpressions;

namespace Reelbase.Server.Platform;

/// <summary>Section <c>Server</c>: what this process does and how it is reached.</summary>
public sealed partial class ServerOptions : IValidatableObject
{
    private static readonly string[] AllRoles = ["api", "worker", "admin"];

    /// <summary>The address that phones and providers use; makes links, webhook addresses and the token issuer.</summary>
    public string? PublicUrl { get; set; }

    /// <summary>The sub-path that a proxy gives this server on a host with others (<c>/reelbase</c>), which <c>PublicUrl</c> ends with; the proxy passes paths on as they are. Paths without it are answered too.</summary>
    public string? PathBase { get; set; }

    /// <summary>What this process does: api, worker, admin.</summary>
    public string[] Roles { get; set; } = [];

    /// <summary>Where files, keys and the private PostgreSQL live.</summary>
    [Required]
    public string DataDirectory { get; set; } = ".reelbase";

    /// <summary>Addresses of proxies whose X-Forwarded-For is believed. Development also believes loopback.</summary>
    public string[] TrustedProxies { get; set; } = [];

    /// <summary>Connections that one address (an IPv6 /64) may have open at a node at a time; more are closed at once. Those of trusted proxies are not counted, since all callers come by them; a carrier's phones share addresses. -1: no limit.</summary>
    [Range(-1, 10_000_000)]
    public int ConnectionsPerAddress { get; set; } = 20_000;

    /// <summary>Further host names that this server answers to, beside that of <c>PublicUrl</c>; <c>*.example.com</c> means every name below it. Health and metrics answer to any.</summary>
    public string[] AllowedHosts { get; set; } = [];

    /// <summary>Origins of web apps (<c>https://app.example</c>) whose pages may call this API from a browser; without any: none, and in Development all.</summary>
    public string[] CorsOrigins { get; set; } = [];

    /// <summary>
    /// INSECURE, for a migration period only: accept requests of shipped apps that carry an anon key and a user_id instead of the
    /// user's token. Anybody who knows a user_id can then act as that user.
    /// </summary>
    public bool AcceptUnverifiedUserId { get; set; }

    /// <summary>When <see cref="AcceptUnverifiedUserId"/> closes by itself (<c>2027-03-01</c> or <c>2027-03-01T09:00:00Z</c>); empty: when somebody turns it off.</summary>
    public DateTimeOffset? AcceptUnverifiedUserIdUntil { get; set; }

    /// <summary>Under that switch: identifiers nobody knows that an address may name in an hour before it gets no more answers about such identifiers.</summary>
    [Range(1, 1_000_000)]
    public int UnverifiedMissesPerHour { get; set; } = 60;

    /// <summary>Under that switch: guests an address may make in an hour by naming the identifier of an install that could not onboard. 0: none, it is nobody then.</summary>
    [Range(0, 1_000_000)]
    public int UnverifiedGuestsPerHour { get; set; } = 30;

    /// <summary>Whether requests of shipped builds, which prove nothing, are accepted now.</summary>
    public bool AcceptsShippedBuilds(TimeProvider clock) =>
        AcceptUnverifiedUserId && (AcceptUnverifiedUserIdUntil is not { } until || clock.GetUtcNow() < until);

    /// <summary>What links of ours begin with: the public address, or the one that a request came to.</summary>
    public string LinkBase(HttpRequest request) => PublicUrl is { Length: > 0 } url ? url.TrimEnd('/') : $"{request.Scheme}://{request.Host}{request.PathBase}";

    /// <summary>Whether this process has a role; no roles named means all of them.</summary>
    public bool Has(string role) => Roles.Length == 0 || Roles.Contains(role, StringComparer.OrdinalIgnoreCase);

    /// <inheritdoc/>
    public IEnumerable<ValidationResult> Validate(ValidationContext validationContext)
    {
        if (PublicUrl is { Length: > 0 } url && !IsWebAddress(url))
        {
            yield return new("must be an address such as https://api.example.com", [nameof(PublicUrl)]);
        }
        if (PathBase is { Length: > 0 } below)
        {
            if (!SubPath().IsMatch(below))
            {
                yield return new(
                    "must be a path such as /reelbase: it begins with a slash, does not end with one, and has letters, digits, '-', '_', '.' and '~' only, without '..'",
                    [nameof(PathBase)]
                );
            }
            else if (Uri.TryCreate(PublicUrl, UriKind.Absolute, out var links) && links.AbsolutePath.TrimEnd('/') != below)
            {
                yield return new($"must end with {below}, which is Server:PathBase: links are made of it", [nameof(PublicUrl)]);
            }
        }
        if (ConnectionsPerAddress == 0)
        {
            yield return new("must be at least 1, since 0 would let nobody in; -1 means no limit", [nameof(ConnectionsPerAddress)]);
        }
        for (var index = 0; index < Roles.Length; index++)
        {
            if (!AllRoles.Contains(Roles[index], StringComparer.OrdinalIgnoreCase))
            {
                yield return new(
                    $"must be {string.Join(", ", AllRoles)}, and not '{Roles[index]}'{(SettingNames.Nearest(Roles[index], AllRoles) is { } near ? $"; did you mean {near}?" : "")}",
                    [$"{nameof(Roles)}:{index}"]
                );
            }
        }
        for (var index = 0; index < TrustedProxies.Length; index++)
        {
            if (ParseProxy(TrustedProxies[index]) is null)
            {
                yield return new(
                    $"must be an IP address or a network such as 10.0.0.0/8, and not '{TrustedProxies[index]}'",
                    [$"{nameof(TrustedProxies)}:{index}"]
                );
            }
        }
        for (var index = 0; index < AllowedHosts.Length; index++)
        {
            var host = AllowedHosts[index];
            if (Uri.CheckHostName(host.StartsWith("*.", StringComparison.Ordinal) ? host[2..] : host) == UriHostNameType.Unknown)
            {
                yield return new(
                    $"must be a host name without scheme, port and path, such as api.example.com or *.example.com, and not '{host}'",
                    [$"{nameof(AllowedHosts)}:{index}"]
                );
            }
        }
    }

    [GeneratedRegex(@"^(/(?!\.{1,2}(/|\z))[A-Za-z0-9._~-]+)+\z")]
    private static partial Regex SubPath();

    /// <summary>Whether a text is an address that links can begin with: http or https, a host, neither query nor fragment.</summary>
    public static bool IsWebAddress(string text) =>
        Uri.TryCreate(text, UriKind.Absolute, out var url)
        && url.Scheme is "http" or "https"
        && url.Host.Length > 0
        && url.Query.Length == 0
        && url.Fragment.Length == 0;

    /// <summary>Whose word about callers is believed; in Development loopback's too.</summary>
    internal IReadOnlyList<IPNetwork> TrustedNetworks(bool isDevelopment) =>
        [
            .. TrustedProxies.Select(proxy => ParseProxy(proxy)!.Value),
            .. isDevelopment ? [new IPNetwork(IPAddress.Loopback, 32), new IPNetwork(IPAddress.IPv6Loopback, 128)] : Array.Empty<IPNetwork>(),
        ];

    /// <summary>A trusted proxy as a network; null when the text is neither an address nor a network.</summary>
    internal static IPNetwork? ParseProxy(string text) =>
        IPNetwork.TryParse(text, out var network) ? network
        : IPAddress.TryParse(text, out var address) && address.ToString() is { } plain && text.Trim() == text
            ? new IPNetwork(address, plain.Contains(':', StringComparison.Ordinal) ? 128 : 32)
        : null;
}
