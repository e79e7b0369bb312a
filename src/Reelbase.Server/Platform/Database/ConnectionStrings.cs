using Npgsql;

namespace Reelbase.Server.Platform.Database;

/// <summary>
/// The connection strings of one installation: the owner's (migrations) and one for each login role.
/// </summary>
/// <remarks>
/// An operator gives one string and the rest follows: role passwords are derived from the owner's password, so every
/// node of an installation arrives at the same ones. Whoever knows the owner's password could set them anyway. Strings
/// for the roles can be given on their own, for a pooler or for nodes that must not know the owner's password (<see cref="RolePasswords"/>).
/// </remarks>
public sealed record ConnectionStrings(string? Owner, string Api, string Worker, string? Admin, string Listen)
{
    /// <summary>Builds the set from configuration, with <paramref name="owner"/> already settled.</summary>
    public static ConnectionStrings From(DatabaseOptions options, string? owner)
    {
        var api = Given(options.ApiConnectionString, options) ?? Derive(owner, "reelbase_api", options);
        var worker = Given(options.WorkerConnectionString, options) ?? Derive(owner, "reelbase_worker", options);
        // Only the command line uses it: a node that serves has no need of it.
        var admin = Given(options.AdminConnectionString, options) ?? (owner is null ? null : Derive(owner, "reelbase_admin", options));
        return new(owner, api, worker, admin, Given(options.ListenConnectionString, options) ?? worker);
    }

    /// <summary>The password of a login role, for an installation that was given only its owner's connection string.</summary>
    /// <exception cref="InvalidOperationException">The owner has no password.</exception>
    public static string DerivePassword(string owner, string role) => RolePasswords.Derive(owner, role);

    /// <summary>Accepts both <c>Host=...;Database=...</c> and <c>postgres://user:password@host:port/database</c>.</summary>
    public static string Normalize(string value)
    {
        if (!value.Contains("://", StringComparison.Ordinal))
        {
            return value;
        }
        if (!Uri.TryCreate(value, UriKind.Absolute, out var uri) || uri.Scheme is not ("postgres" or "postgresql"))
        {
            throw new ArgumentException("a database address looks like postgres://user:password@host:port/database");
        }
        var user = uri.UserInfo.Split(':', 2);
        var builder = new NpgsqlConnectionStringBuilder
        {
            Host = uri.Host,
            Port = uri.Port > 0 ? uri.Port : 5432,
            Database = Uri.UnescapeDataString(uri.AbsolutePath.TrimStart('/')),
            Username = user[0].Length > 0 ? Uri.UnescapeDataString(user[0]) : "postgres",
            Password = user.Length > 1 ? Uri.UnescapeDataString(user[1]) : null,
        };
        foreach (var pair in uri.Query.TrimStart('?').Split('&', StringSplitOptions.RemoveEmptyEntries))
        {
            var parts = pair.Split('=', 2);
            if (parts is ["sslmode", var mode])
            {
                builder.SslMode = Enum.Parse<SslMode>(mode.Replace("-", "", StringComparison.Ordinal), ignoreCase: true);
            }
        }
        return builder.ConnectionString;
    }

    /// <summary>Whether a text is an address of a database in either form, with a host.</summary>
    public static bool IsAddress(string text)
    {
        try
        {
            return new NpgsqlConnectionStringBuilder(Normalize(text)).Host is { Length: > 0 };
        }
        catch (Exception error) when (error is ArgumentException or FormatException or InvalidCastException or OverflowException)
        {
            return false;
        }
    }

    /// <summary>The address form of a connection string, as psql takes it.</summary>
    public static string ToUrl(string connectionString)
    {
        var builder = new NpgsqlConnectionStringBuilder(connectionString);
        return $"postgres://{Uri.EscapeDataString(builder.Username ?? "postgres")}:{Uri.EscapeDataString(builder.Password ?? "")}@{builder.Host}:{builder.Port}/{Uri.EscapeDataString(builder.Database ?? "postgres")}";
    }

    /// <summary>An address as it was given, with our bounds where it names none of its own.</summary>
    private static string? Given(string? value, DatabaseOptions options)
    {
        if (string.IsNullOrWhiteSpace(value))
        {
            return null;
        }
        var builder = new NpgsqlConnectionStringBuilder(Normalize(value));
        // ContainsKey answers whether there is such a setting at all.
        var named = builder.Keys.ToHashSet(StringComparer.OrdinalIgnoreCase);
        foreach (var (key, bound) in Bounds(options))
        {
            if (!named.Contains(key))
            {
                builder[key] = bound;
            }
        }
        return builder.ConnectionString;
    }

    private static IEnumerable<(string Key, object Bound)> Bounds(DatabaseOptions options) =>
        [
            ("Maximum Pool Size", options.PoolSize),
            ("Command Timeout", options.CommandTimeoutSeconds),
            ("Timeout", options.ConnectTimeoutSeconds),
            // Sessions keep nothing of their own (roles and claims are local to a transaction), and the reset would cost a
            // round trip and break behind a transaction pooler.
            ("No Reset On Close", true),
        ];

    private static string Derive(string? owner, string role, DatabaseOptions options)
    {
        if (owner is null)
        {
            throw new InvalidOperationException($"Database:ConnectionString is missing, and so is the one for {role}: give one of the two");
        }
        var builder = new NpgsqlConnectionStringBuilder(owner)
        {
            Username = role,
            Password = DerivePassword(owner, role),
            ApplicationName = role,
        };
        foreach (var (key, bound) in Bounds(options))
        {
            builder[key] = bound;
        }
        return builder.ConnectionString;
    }
}
