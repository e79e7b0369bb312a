using Microsoft.Extensions.Options;
using Reelbase.Server.Features.Admin;
using Reelbase.Server.Platform;
using Reelbase.Server.Platform.Database;
using Reelbase.Server.Platform.Security;

namespace Reelbase.Server;

/// <summary>Admins from the command line: whoever has the machine may make one.</summary>
internal static class AdminUserCommands
{
    /// <summary><c>admin create --email E</c>: password and second factor are shown once.</summary>
    public static async Task<int> CreateAsync(WebApplicationBuilder builder, AdminDatabase database, string email)
    {
        NewAdmin admin;
        try
        {
            admin = await new AdminCredentials(LoadKeys(builder), TimeProvider.System).CreateAsync(database, email);
        }
        catch (Npgsql.PostgresException error) when (error.SqlState == "P0001")
        {
            throw new ArgumentException(error.MessageText, error);
        }
        Console.WriteLine($"Admin: {email} ({admin.UserId})");
        Console.WriteLine($"Password: {admin.Password}");
        Console.WriteLine($"TOTP secret: {admin.TotpSecret}");
        Console.WriteLine($"TOTP link: {admin.TotpUri}");
        Console.WriteLine("Put the secret into an authenticator app. None of this is shown again; running this again makes new ones.");
        return 0;
    }

    /// <summary><c>admin revoke --email E</c>.</summary>
    public static async Task<int> RevokeAsync(AdminDatabase database, string email)
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
            throw new ArgumentException("that is the last admin: create another one first", error);
        }
        Console.WriteLine($"{email} is no admin any more; open consoles of theirs end.");
        return 0;
    }

    /// <summary><c>admin token --email E</c>: a bearer token for the admin API.</summary>
    public static async Task<int> PrintTokenAsync(WebApplicationBuilder builder, AdminDatabase database, string email)
    {
        var session = Guid.NewGuid();
        var id =
            await database.ScalarAsync<Guid?>("select start_admin_token($1, $2)", CancellationToken.None, email, session)
            ?? throw new ArgumentException($"{email} is no admin: create one with admin create --email {email}");
        using var tokens = NewTokens(builder);
        Console.WriteLine(tokens.Create(new(id, session, "admin", false, email)).Token);
        return 0;
    }

    internal static Keys LoadKeys(WebApplicationBuilder builder)
    {
        var server = builder.Configuration.GetSection("Server").Get<ServerOptions>() ?? new();
        var security = builder.Configuration.GetSection("Security").Get<SecurityOptions>() ?? new();
        return Keys.Load(security, Path.Combine(server.DataDirectory, "keys"), !builder.Environment.IsProduction());
    }

    internal static AccessTokens NewTokens(WebApplicationBuilder builder) =>
        new(
            LoadKeys(builder),
            Options.Create(builder.Configuration.GetSection("Security").Get<SecurityOptions>() ?? new()),
            Options.Create(builder.Configuration.GetSection("Server").Get<ServerOptions>() ?? new()),
            TimeProvider.System
        );
}
