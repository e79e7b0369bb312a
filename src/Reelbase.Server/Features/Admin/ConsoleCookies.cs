using Reelbase.Server.Platform;

namespace Reelbase.Server.Features.Admin;

/// <summary>
/// How the console's cookies are called. Over TLS a name says what browsers hold them to: with <c>__Host-</c> no other host can set one, which they allow for
/// the path <c>/</c> only; on a sub-path of a host with other programs a cookie is sent to that path alone, and its name begins with <c>__Secure-</c>.
/// </summary>
public sealed class ConsoleCookies(ServerOptions server, AdminOptions admin, bool isProduction)
{
    /// <summary>The session's cookie.</summary>
    public const string Session = "reelbase_admin";

    private readonly string _prefix = server.PathBase is { Length: > 0 } ? "__Secure-" : "__Host-";

    /// <summary>Whether they travel over TLS only.</summary>
    public bool IsSecure { get; } = isProduction && !admin.AllowInsecure;

    /// <summary>The name of a cookie.</summary>
    public string Name(string name) => Name(name, IsSecure);

    /// <summary>The name of a cookie that is secure when its request was.</summary>
    public string Name(string name, bool isSecure) => isSecure ? _prefix + name : name;

    /// <summary>Whether a request brings the session's cookie, whatever it was called when it was set.</summary>
    public static bool HasSession(HttpRequest request) => request.Cookies.Keys.Any(name => name is Session or "__Host-" + Session or "__Secure-" + Session);
}
