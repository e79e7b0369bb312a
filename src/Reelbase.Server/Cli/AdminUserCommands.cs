using System.CommandLine;
using Microsoft.Extensions.Options;
using Reelbase.Server.Features.Admin;
using Reelbase.Server.Platform;
using Reelbase.Server.Platform.Database;
using Reelbase.Server.Platform.Security;

namespace Reelbase.Server.Cli;

/// <summary>Admins from the command line: whoever has the machine may make one.</summary>
internal static class AdminUserCommands
{
    private const string LastOne = "that is the last admin, or the last operator: create another one first";

    /// <summary>An admin as the command line lists them.</summary>
    private sealed record ListedAdmin(string Email, string Role, bool CanSignIn, bool IsBanned, DateTime? LastSessionAt);

    private static readonly string[] Roles = ["support", "operator"];

    /// <summary>The verbs.</summary>
    public static IEnumerable<Command> New(AdminVerbs verbs)
    {
        var email = Words.Text("--email", "E", "the admin's address", isRequired: true);
        var firstRole = Words.OneOf("--role", "what they may do; default: operator for the first admin, else support", Roles);
        var role = Words.OneOf("--role", "what they may do", Roles, isRequired: true);
        return
        [
            verbs.OnDatabase(
                "create",
                "a new admin, or a new password and code for one",
                (builder, database, words) => CreateAsync(builder, database, words.GetValue(email)!, words.GetValue(firstRole)),
                email,
                firstRole
            ),
            verbs.OnDatabase(
                "role",
                "give an admin another role",
                (_, database, words) => SetRoleAsync(database, words.GetValue(email)!, words.GetValue(role)!),
                email,
                role
            ),
            verbs.OnDatabase("list", "who is an admin, and in which role", (_, database, _) => ListAsync(database)),
            verbs.OnDatabase("revoke", "take an admin's right away", (_, database, words) => RevokeAsync(database, words.GetValue(email)!), email),
            verbs.OnDatabase(
                "token",
                "print a bearer token for the admin API, good for an hour",
                (builder, database, words) => PrintTokenAsync(builder, database, words.GetValue(email)!),
                email
            ),
        ];
    }

    /// <summary><c>admin create --email E</c>: password and second factor are shown once.</summary>
    private static async Task<int> CreateAsync(WebApplicationBuilder builder, AdminDatabase database, string email, string? role)
    {
        NewAdmin admin;
        try
        {
            admin = await new AdminCredentials(LoadKeys(builder), new AdminPasswords(), TimeProvider.System).CreateAsync(database, email, role);
        }
        catch (Npgsql.PostgresException error) when (error.SqlState == "P0001")
        {
            throw new ArgumentException(error.MessageText, error);
        }
        catch (Npgsql.PostgresException error) when (error.SqlState == "RB001")
        {
            throw new ArgumentException(LastOne, error);
        }
        Console.WriteLine($"Admin: {email} ({admin.UserId})");
        Console.WriteLine($"Password: {admin.Password}");
        Console.WriteLine($"TOTP secret: {admin.TotpSecret}");
        Console.WriteLine($"TOTP link: {admin.TotpUri}");
        Console.WriteLine("Put the secret into an authenticator app. None of this is shown again; running this again makes new ones.");
        Console.WriteLine("The password works for a day: choose another one in the console before that (/admin/password).");
        return 0;
    }

    /// <summary><c>admin revoke --email E</c>.</summary>
    private static async Task<int> RevokeAsync(AdminDatabase database, string email)
    {
        try
        {
            if (!await database.ScalarAsync<bool>("select revoke_admin($1)", CancellationToken.None, email))
            {
                throw new ArgumentException($"{email} is no admin");
            }
        }
        catch (Npgsql.PostgresException error) when (error.SqlState == "RB001")
        {
            throw new ArgumentException(LastOne, error);
        }
        Console.WriteLine($"{email} is no admin any more; open consoles of theirs end.");
        return 0;
    }

    /// <summary><c>admin role --email E --role R</c>.</summary>
    private static async Task<int> SetRoleAsync(AdminDatabase database, string email, string role)
    {
        try
        {
            if (!await database.ScalarAsync<bool>("select set_admin_role($1, $2)", CancellationToken.None, email, role))
            {
                throw new ArgumentException($"{email} is no admin");
            }
        }
        catch (Npgsql.PostgresException error) when (error.SqlState == "RB001")
        {
            throw new ArgumentException(LastOne, error);
        }
        Console.WriteLine($"{email} is {role} from now on.");
        return 0;
    }

    /// <summary><c>admin list</c>.</summary>
    private static async Task<int> ListAsync(AdminDatabase database)
    {
        foreach (var admin in await database.ListAsync<ListedAdmin>("select * from list_admins()", CancellationToken.None))
        {
            var state =
                admin.IsBanned ? "banned"
                : admin.CanSignIn ? "can sign in"
                : "has no password";
            Console.WriteLine($"{admin.Email}  {admin.Role}  {state}  last seen: {(admin.LastSessionAt is { } at ? Platform.Http.Json.Time(at) : "never")}");
        }
        return 0;
    }

    /// <summary><c>admin token --email E</c>: a bearer token for the admin API.</summary>
    private static async Task<int> PrintTokenAsync(WebApplicationBuilder builder, AdminDatabase database, string email)
    {
        using var tokens = NewTokens(builder);
        Console.WriteLine(await StartTokenAsync(database, tokens, email));
        return 0;
    }

    /// <summary>Begins a session of an admin's that has a token only.</summary>
    internal static async Task<string> StartTokenAsync(AdminDatabase database, AccessTokens tokens, string email)
    {
        var session = Guid.NewGuid();
        var id =
            await database.ScalarAsync<Guid?>("select start_admin_token($1, $2)", CancellationToken.None, email, session)
            ?? throw new ArgumentException($"{email} is no admin: create one with admin create --email {email}");
        return tokens.Create(new(id, session, "admin", false, email)).Token;
    }

    internal static Keys LoadKeys(WebApplicationBuilder builder)
    {
        var server = builder.Configuration.GetSection("Server").Get<ServerOptions>() ?? new();
        var security = builder.Configuration.GetSection("Security").Get<SecurityOptions>() ?? new();
        var directory = Path.Combine(server.DataDirectory, "keys");
        // The server makes keys, in Development; a command line that did would print ones that no server knows.
        if (Keys.FindMissing(security, directory).FirstOrDefault() is { } missing)
        {
            throw new ArgumentException(
                $"{missing.Split(" is missing", 2)[0]} is not set, and there is no such key in {Path.GetFullPath(directory)} (--data or Server:DataDirectory); nothing was made"
            );
        }
        return Keys.Load(security, directory, mayCreate: false);
    }

    internal static AccessTokens NewTokens(WebApplicationBuilder builder) =>
        new(
            LoadKeys(builder),
            Options.Create(builder.Configuration.GetSection("Security").Get<SecurityOptions>() ?? new()),
            Options.Create(builder.Configuration.GetSection("Server").Get<ServerOptions>() ?? new()),
            TimeProvider.System
        );
}
