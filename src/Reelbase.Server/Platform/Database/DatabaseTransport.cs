using System.Net;
using Npgsql;

namespace Reelbase.Server.Platform.Database;

/// <summary>Whether somebody on the way to the database could read along, or be taken for it.</summary>
public static class DatabaseTransport
{
    /// <summary>The host that is reached without a verified certificate; null when there is none such: the same machine, a socket, or <c>sslmode=verify-full</c>.</summary>
    public static string? FindUnverifiedHost(ConnectionStrings strings) =>
        new[] { strings.Owner, strings.Api, strings.Worker, strings.Admin, strings.Listen }
            .OfType<string>()
            .Select(text => new NpgsqlConnectionStringBuilder(text))
            .Where(builder => builder.SslMode is not (SslMode.VerifyFull or SslMode.VerifyCA))
            .SelectMany(builder => (builder.Host ?? "").Split(','))
            .FirstOrDefault(host => !IsHere(host.Trim()));

    private static bool IsHere(string host) =>
        host is "" or "localhost" || host.StartsWith('/') || (IPAddress.TryParse(host.Trim('[', ']'), out var address) && IPAddress.IsLoopback(address));
}
