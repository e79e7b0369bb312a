using Microsoft.Extensions.Configuration.EnvironmentVariables;
using Microsoft.Extensions.Options;
using Npgsql;
using Reelbase.Server.Platform;
using Reelbase.Server.Platform.Database;

namespace Reelbase.Server.Cli;

/// <summary>What a verb works on: the configuration, and the database that it or <c>--database</c> names.</summary>
internal static class Installation
{
    /// <summary>What an operator can do something about is said in one line, without a stack trace.</summary>
    internal static bool IsForTheOperator(Exception error) =>
        error
            is OptionsValidationException
                or InvalidOperationException
                or ArgumentException
                or MigrationException
                or PrivateClusterException
                or NpgsqlException
                or IOException
                or UnauthorizedAccessException;

    /// <summary>Does something on the database that is meant, and leaves a private PostgreSQL as it was found.</summary>
    internal static async Task<T> WithOwnerAsync<T>(WebApplicationBuilder builder, string? given, Func<string, Task<T>> act, bool mustExist = false)
    {
        if (given is not null)
        {
            await WarnOfPasswordAsync(given);
            return await act(ConnectionStrings.Normalize(given));
        }
        if (mustExist)
        {
            RequireInstallation(builder);
        }
        var (owner, cluster) = await OwnerAsync(builder);
        try
        {
            return await act(owner);
        }
        finally
        {
            if (cluster is { WasRunning: false })
            {
                await cluster.StopAsync(CancellationToken.None);
            }
        }
    }

    /// <summary>
    /// The address of the role that the command line works as, where the owner's is not given: that one is enough for whatever only reads and changes rows.
    /// </summary>
    internal static bool HasAdminAddressOnly(WebApplicationBuilder builder, string? given) =>
        given is null && DatabaseOptionsOf(builder) is { ConnectionString: null or "", AdminConnectionString.Length: > 0 };

    /// <summary>What arguments say is read by everybody on the machine.</summary>
    internal static async Task WarnOfPasswordAsync(string address)
    {
        if (HasPassword(address))
        {
            await Console.Error.WriteLineAsync(
                "warning: the password in --database can be read by everybody on this machine while this runs: give the address in the variable REELBASE__Database__ConnectionString"
            );
        }
    }

    /// <summary>Whether an address carries a password.</summary>
    internal static bool HasPassword(string address) =>
        ConnectionStrings.IsAddress(address) && new Npgsql.NpgsqlConnectionStringBuilder(ConnectionStrings.Normalize(address)).Password is { Length: > 0 };

    internal static async Task<(string Owner, PrivateCluster? Cluster)> OwnerAsync(WebApplicationBuilder builder)
    {
        var options = builder.Configuration.GetSection("Database").Get<DatabaseOptions>() ?? new();
        if (options.ConnectionString is { Length: > 0 } given)
        {
            return (ConnectionStrings.Normalize(given), null);
        }
        if (builder.Environment.IsProduction() && !options.AllowPrivateInProduction)
        {
            throw new InvalidOperationException(
                "Database:ConnectionString is missing; in Production an empty new database must not look like success (set Database:AllowPrivateInProduction=true to keep a private PostgreSQL on purpose)"
            );
        }
        if (options.WalArchiveDirectory is { Length: > 0 } archive)
        {
            await PrivateCluster.PrepareDirectoryAsync(archive, CancellationToken.None);
        }
        var cluster = await PrivateCluster.StartAsync(PrivateHome(builder), options.BinDirectory, PrivateSettings(options), CancellationToken.None);
        return (cluster.ConnectionString, cluster);
    }

    /// <summary>Whether there is a private PostgreSQL, or a database of the operator's own is meant.</summary>
    internal static bool HasInstallation(WebApplicationBuilder builder) =>
        DatabaseOptionsOf(builder).ConnectionString is { Length: > 0 } || PrivateCluster.Exists(PrivateHome(builder));

    /// <summary>A mistyped folder is refused and not filled: a verb that works on an installation makes none.</summary>
    internal static void RequireInstallation(WebApplicationBuilder builder)
    {
        if (!HasInstallation(builder))
        {
            throw new ArgumentException(
                $"there is no private PostgreSQL in {Path.GetFullPath(PrivateHome(builder))} (looked for by --data or Server:DataDirectory, since neither --database nor Database:ConnectionString is given); nothing was made. ./reelbase run makes one; where it was given --data DIR, give the same here"
            );
        }
    }

    /// <summary>Where the private PostgreSQL of this configuration lives.</summary>
    internal static string PrivateHome(WebApplicationBuilder builder) =>
        Path.Combine((builder.Configuration.GetSection("Server").Get<ServerOptions>() ?? new()).DataDirectory, "postgresql");

    /// <summary>Its settings, with the archive when there is one.</summary>
    internal static IReadOnlyDictionary<string, string> PrivateSettings(DatabaseOptions options) =>
        options.WalArchiveDirectory is { Length: > 0 } archive
            ? PrivateCluster.ArchiveSettings(archive, options.WalArchiveSeconds).Concat(options.PrivateSettings).ToDictionary()
            : options.PrivateSettings;

    /// <summary>Settings lie beside the program, wherever it is started from.</summary>
    internal static WebApplicationBuilder NewBuilder(string[] args)
    {
        // Settings are read at start and checked there; a watch over their files would only take one of the machine's few inotify instances.
        string[] settings = ["--hostBuilder:reloadConfigOnChange=false", .. args];
        var builder = WebApplication.CreateBuilder(new WebApplicationOptions { Args = settings, ContentRootPath = AppContext.BaseDirectory });
        builder.Configuration.Sources.Insert(0, new EnvironmentVariablesConfigurationSource { Prefix = SettingNames.ProposalPrefix });
        builder.Configuration.AddEnvironmentVariables(SettingNames.EnvironmentPrefix);
        return builder;
    }

    internal static DatabaseOptions DatabaseOptionsOf(WebApplicationBuilder builder) =>
        builder.Configuration.GetSection("Database").Get<DatabaseOptions>() ?? new();
}
