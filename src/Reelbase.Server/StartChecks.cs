using Microsoft.Extensions.Options;
using Reelbase.Server.Integrations.Apple.DeviceCheck;
using Reelbase.Server.Platform;
using Reelbase.Server.Platform.Database;
using Reelbase.Server.Platform.Modules;
using Reelbase.Server.Platform.Security;

namespace Reelbase.Server;

/// <summary>
/// Everything that is wrong with the settings, found before a database is touched or a port is bound, and said in one go: an operator
/// mends a list once, and not one line at each start.
/// </summary>
public static class StartChecks
{
    /// <summary>Refuses settings that are wrong, missing or unknown.</summary>
    /// <param name="builder">The settings.</param>
    /// <param name="sections">What can be set.</param>
    /// <param name="withDatabaseAndKeys">Whether the database and the keys are still to be found by these settings.</param>
    /// <exception cref="OptionsValidationException">Names each by its key.</exception>
    public static void Run(WebApplicationBuilder builder, IReadOnlyList<OptionsSection> sections, bool withDatabaseAndKeys)
    {
        var wrong = Find(builder, sections, withDatabaseAndKeys);
        if (wrong.Count > 0)
        {
            throw new OptionsValidationException("settings", typeof(StartChecks), wrong);
        }
    }

    /// <summary>The same as a list, one sentence each, that begins with the key.</summary>
    public static IReadOnlyList<string> Find(WebApplicationBuilder builder, IReadOnlyList<OptionsSection> sections, bool withDatabaseAndKeys)
    {
        string[] wrong =
        [
            .. SettingNames.FindUnknown(builder.Configuration, [.. sections.Select(section => (section.Name, section.Type))]),
            .. sections.SelectMany(section => section.Check(builder.Configuration)),
            .. CheckDevelopmentOnly(builder),
            .. withDatabaseAndKeys ? CheckDatabase(builder).Concat(CheckKeys(builder)) : [],
        ];
        return [.. wrong.Distinct(StringComparer.Ordinal)];
    }

    /// <summary>What makes a developer's first hour easier lets anybody in: it exists in Development and nowhere else.</summary>
    private static IEnumerable<string> CheckDevelopmentOnly(WebApplicationBuilder builder)
    {
        const string key = $"DeviceCheck:{nameof(DeviceCheckOptions.AcceptIosSimulators)}";
        if (!builder.Environment.IsDevelopment() && "true".Equals(builder.Configuration[key]?.Trim(), StringComparison.OrdinalIgnoreCase))
        {
            yield return $"{key} is for Development only, because anybody could bring as many devices as they like; this is {builder.Environment.EnvironmentName}: remove it";
        }
    }

    private static IEnumerable<string> CheckDatabase(WebApplicationBuilder builder)
    {
        var section = builder.Configuration.GetSection("Database");
        foreach (var name in (string[])["ConnectionString", "ApiConnectionString", "WorkerConnectionString", "AdminConnectionString", "ListenConnectionString"])
        {
            if (section[name] is { Length: > 0 } given && !ConnectionStrings.IsAddress(given))
            {
                yield return $"Database:{name} is no address of a database: it looks like postgres://user:password@host:port/database";
            }
        }
        if (
            builder.Environment.IsProduction()
            && section["ConnectionString"] is null or ""
            && section["ApiConnectionString"] is null or ""
            && !"true".Equals(section["AllowPrivateInProduction"], StringComparison.OrdinalIgnoreCase)
        )
        {
            yield return "Database:ConnectionString is missing; in Production an empty new database must not look like success (set Database:AllowPrivateInProduction=true to keep a private PostgreSQL on purpose)";
        }
    }

    private static IEnumerable<string> CheckKeys(WebApplicationBuilder builder)
    {
        var directory = builder.Configuration["Server:DataDirectory"] is { Length: > 0 } given ? given : new ServerOptions().DataDirectory;
        var security = new SecurityOptions();
        builder.Configuration.GetSection("Security").Bind(security);
        return Keys.FindUnreadable(security).Concat(builder.Environment.IsProduction() ? Keys.FindMissing(security, Path.Combine(directory, "keys")) : []);
    }
}
