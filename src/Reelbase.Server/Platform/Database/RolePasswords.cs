using System.Globalization;
using System.Security.Cryptography;
using System.Text;
using Npgsql;

namespace Reelbase.Server.Platform.Database;

/// <summary>
/// Whose the passwords of the login roles are, in one place (docs/runbooks/keys.md says it to operators). A role with a connection string of its own
/// is the operator's, and so is one whose stored password no migration has set: both are left alone. Every other one is derived from the
/// owner's password and follows it, at each migration. An owner without a password derives nothing, since anybody could do the same.
/// A role of a new installation has no password yet: then one with an address of its own gets that address's.
/// </summary>
public static class RolePasswords
{
    /// <summary>The comment on a role by which an operator keeps its password where the owner cannot read what is stored.</summary>
    public const string OperatorComment = "password: operator";

    private const string Mark = "Reelbase derives this password: ";

    private static readonly string[] Roles = ["reelbase_api", "reelbase_worker", "reelbase_admin"];

    /// <summary>The roles that configuration gives addresses of their own, with the passwords in these (empty: none).</summary>
    public static IReadOnlyDictionary<string, string> KeptByOperator(DatabaseOptions options) =>
        new[]
        {
            (Role: Roles[0], Given: options.ApiConnectionString),
            (Role: Roles[1], Given: options.WorkerConnectionString),
            (Role: Roles[2], Given: options.AdminConnectionString),
        }
            .Where(one => !string.IsNullOrWhiteSpace(one.Given))
            .ToDictionary(one => one.Role, one => new NpgsqlConnectionStringBuilder(ConnectionStrings.Normalize(one.Given!)).Password ?? "");

    /// <summary>A role's password after its owner's.</summary>
    /// <exception cref="InvalidOperationException">The owner has none; says what to set.</exception>
    public static string Derive(string owner, string role)
    {
        if (new NpgsqlConnectionStringBuilder(owner).Password is not { Length: > 0 } password)
        {
            throw new InvalidOperationException(
                $"Database:ConnectionString has no password, and the one of {role} would be derived from it, so that everybody could know it. Put the owner's password into the "
                    + "address (postgres://user:PASSWORD@host/database), or give every role an address of its own: Database:ApiConnectionString, "
                    + "Database:WorkerConnectionString and Database:AdminConnectionString"
            );
        }
        var key = HKDF.DeriveKey(HashAlgorithmName.SHA256, Encoding.UTF8.GetBytes(password), 32, info: Encoding.UTF8.GetBytes("reelbase role " + role));
        return Convert.ToHexStringLower(key);
    }

    /// <summary>Refuses an owner from whom a password would have to be derived and cannot be.</summary>
    public static void Require(string owner, IReadOnlyDictionary<string, string> kept)
    {
        foreach (var role in Roles.Where(role => !kept.ContainsKey(role)))
        {
            Derive(owner, role);
        }
    }

    /// <summary>Whether there is something to set.</summary>
    public static async Task<bool> AreDueAsync(NpgsqlConnection connection, RolePasswordRule rule, CancellationToken cancellationToken) =>
        (await DecideAsync(connection, rule, cancellationToken)).Any(role => role.Outcome is Outcome.Set or Outcome.Adopt or Outcome.Give);

    /// <summary>Sets what is ours and differs, in the caller's transaction; answers the roles that were left because no migration has set their passwords.</summary>
    public static async Task<IReadOnlyList<string>> SetAsync(NpgsqlConnection connection, RolePasswordRule rule, CancellationToken cancellationToken)
    {
        var roles = await DecideAsync(connection, rule, cancellationToken);
        foreach (var role in roles.Where(role => role.Outcome == Outcome.Give))
        {
            await ExecuteAsync(
                connection,
                $"set local password_encryption = 'scram-sha-256'; alter role {role.Name} password '{rule.Kept[role.Name].Replace("'", "''", StringComparison.Ordinal)}'",
                cancellationToken
            );
        }
        foreach (var role in roles.Where(role => role.Outcome is Outcome.Set or Outcome.Adopt))
        {
            if (role.Outcome == Outcome.Set)
            {
                // What is stored has a random salt, so the mark below says nothing about the password.
                await ExecuteAsync(
                    connection,
                    $"set local password_encryption = 'scram-sha-256'; alter role {role.Name} password '{Derive(rule.Owner, role.Name)}'",
                    cancellationToken
                );
            }
            if (role.CanRead)
            {
                await ExecuteAsync(
                    connection,
                    $"""
                    do $$ begin
                      execute (select format('comment on role {role.Name} is %L', '{Mark}' || encode(sha256(convert_to(rolpassword, 'UTF8')), 'hex'))
                        from pg_authid where rolname = '{role.Name}');
                    end $$
                    """,
                    cancellationToken
                );
            }
        }
        return roles.Where(role => role.Outcome == Outcome.Leave).Select(role => role.Name).ToList();
    }

    private static async Task<IReadOnlyList<Role>> DecideAsync(NpgsqlConnection connection, RolePasswordRule rule, CancellationToken cancellationToken)
    {
        await using var query = new NpgsqlCommand("select has_table_privilege('pg_catalog.pg_authid', 'select')", connection);
        var canRead = await query.ExecuteScalarAsync(cancellationToken) is true;
        await using var command = new NpgsqlCommand(
            $"""
            select rolname::text, coalesce(shobj_description(oid, 'pg_authid'), ''), {(canRead ? "coalesce(rolpassword, '')" : "''")}
            from {(canRead ? "pg_authid" : "pg_roles")} where rolname = any ($1)
            """,
            connection
        )
        {
            Parameters = { new() { Value = Roles } },
        };
        await using var reader = await command.ExecuteReaderAsync(cancellationToken);
        var roles = new List<Role>();
        while (await reader.ReadAsync(cancellationToken))
        {
            var (name, comment, stored) = (reader.GetString(0), reader.GetString(1), reader.GetString(2));
            roles.Add(new(name, canRead, Decide(rule, name, canRead, comment, stored)));
        }
        return roles;
    }

    private static Outcome Decide(RolePasswordRule rule, string role, bool canRead, string comment, string stored)
    {
        if (rule.Kept.TryGetValue(role, out var given))
        {
            // Only a role that nobody can log in as yet; whatever has been set once is the operator's.
            return canRead && stored.Length == 0 && given.Length > 0 ? Outcome.Give : Outcome.Nothing;
        }
        if (comment.StartsWith(OperatorComment, StringComparison.OrdinalIgnoreCase))
        {
            return Outcome.Nothing;
        }
        if (!canRead || stored.Length == 0)
        {
            return Outcome.Set;
        }
        var isMarked = comment == Mark + Convert.ToHexStringLower(SHA256.HashData(Encoding.UTF8.GetBytes(stored)));
        if (IsStored(stored, Derive(rule.Owner, role)))
        {
            return isMarked ? Outcome.Nothing : Outcome.Adopt;
        }
        return isMarked || rule.IsPrivate ? Outcome.Set : Outcome.Leave;
    }

    /// <summary>Whether a stored password is this one (PostgreSQL manual, "SCRAM-SHA-256 authentication"; RFC 5803).</summary>
    private static bool IsStored(string stored, string password)
    {
        if (
            stored.Split('$') is not ["SCRAM-SHA-256", var first, var last]
            || first.Split(':') is not [var count, var salt]
            || last.Split(':') is not [var key, _]
        )
        {
            return false;
        }
        var salted = Rfc2898DeriveBytes.Pbkdf2(
            password,
            Convert.FromBase64String(salt),
            int.Parse(count, CultureInfo.InvariantCulture),
            HashAlgorithmName.SHA256,
            32
        );
        return Convert.ToBase64String(SHA256.HashData(HMACSHA256.HashData(salted, "Client Key"u8))) == key;
    }

    private static async Task ExecuteAsync(NpgsqlConnection connection, string sql, CancellationToken cancellationToken)
    {
        await using var command = new NpgsqlCommand(sql, connection);
        await command.ExecuteNonQueryAsync(cancellationToken);
    }

    private enum Outcome
    {
        Nothing,
        Set,
        Adopt,
        Leave,
        Give,
    }

    private sealed record Role(string Name, bool CanRead, Outcome Outcome);
}

/// <summary>What decides about the roles' passwords.</summary>
/// <param name="Owner">The owner's connection string.</param>
/// <param name="Kept">Roles whose addresses the operator has given, with the passwords in these.</param>
/// <param name="IsPrivate">Our own PostgreSQL, in which nobody else sets anything.</param>
public sealed record RolePasswordRule(string Owner, IReadOnlyDictionary<string, string> Kept, bool IsPrivate);
