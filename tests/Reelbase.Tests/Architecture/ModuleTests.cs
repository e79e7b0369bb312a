using System.Text.RegularExpressions;
using Reelbase.Server;
using Reelbase.Tests.Sql;
using Reelbase.Tests.Support;

namespace Reelbase.Tests.Architecture;

/// <summary>One module for each feature and each outside system, one owner for each table, and arrows between features that lead in no circle.</summary>
[Trait("Check", "yes")]
[Quick]
public sealed partial class ModuleTests(SqlDatabase database)
{
    private const string Server = "src/Reelbase.Server";

    [Fact]
    public void Each_feature_and_each_outside_system_has_exactly_one_module_and_the_list_has_it()
    {
        var folders = Directory
            .EnumerateDirectories(Repository.PathOf($"{Server}/Features"))
            .Concat(Directory.EnumerateDirectories(Repository.PathOf($"{Server}/Integrations")))
            .Where(folder => Directory.EnumerateFiles(folder, "*", SearchOption.AllDirectories).Any())
            .ToList();
        foreach (var folder in folders)
        {
            var file = Assert.Single(Directory.EnumerateFiles(folder, "*Module.cs", SearchOption.AllDirectories));
            Assert.Equal(Path.Combine(folder, Path.GetFileName(folder) + "Module.cs"), file);
        }
        Assert.Equal(
            folders.Select(folder => Path.GetFileName(folder)!).Append("Platform").Order(StringComparer.Ordinal),
            Modules.All.Select(module => module.Name).Order(StringComparer.Ordinal)
        );
    }

    [Fact]
    public void Nothing_but_the_list_names_a_module()
    {
        string[] lists = ["Modules.cs", "ServerApp.cs", "Program.cs"];
        var names = Modules.All.Select(module => module.GetType().Name).ToHashSet();
        Assert.Empty(
            from file in Repository.Files(Server, "*.cs").Concat(Repository.Files(Server, "*.razor"))
            where !lists.Contains(Path.GetRelativePath(Repository.PathOf(Server), file))
            from match in Word().Matches(File.ReadAllText(file))
            where names.Contains(match.Value) && match.Value != Path.GetFileNameWithoutExtension(file)
            select $"{Path.GetRelativePath(Repository.Root, file)}: {match.Value}"
        );
    }

    [Fact]
    public async Task Each_table_has_exactly_one_owner()
    {
        await using var sql = await database.BeginAsync();
        var tables = await sql.ValueAsync<string>(
            "select string_agg(case n.nspname when 'public' then '' else n.nspname || '.' end || c.relname, ' ') from pg_class c join pg_namespace n on n.oid = c.relnamespace where n.nspname in ('public', 'reelbase') and c.relkind in ('r', 'p') and c.relname <> 'favorites'"
        );
        Assert.Equal(tables.Split(' ').Order(StringComparer.Ordinal), Modules.All.SelectMany(module => module.OwnedTables).Order(StringComparer.Ordinal));
    }

    /// <summary>What a module contributes to the support team lies in its folder: the functions of its operations, the pages of its menu.</summary>
    [Fact]
    public void Admin_operations_and_menu_entries_lie_with_their_module()
    {
        foreach (var module in Modules.All)
        {
            var folder = $"{Server}/Features/{module.Name}";
            if (module.AdminOperations.Count > 0)
            {
                var functions = Repository.Files(folder, "*.function.sql").Select(Path.GetFileName).ToHashSet();
                Assert.All(module.AdminOperations, operation => Assert.Contains($"{operation.Function}.function.sql", functions));
            }
            if (module.MenuEntries.Count > 0)
            {
                var pages = Repository.Files(folder, "*.razor").Select(File.ReadAllText).ToList();
                Assert.All(module.MenuEntries, entry => Assert.Contains(pages, page => page.Contains($"@page \"/{entry.Href}\"", StringComparison.Ordinal)));
            }
        }
        var places = Modules.All.SelectMany(module => module.MenuEntries).Select(entry => entry.Place).ToList();
        Assert.Equal(places.Distinct().Order(), places.Order());
    }

    /// <summary>Every page stands on the console's shell, which is Admin's; the other arrows are listed with their reason. One that is not here, and one that nobody needs, fails.</summary>
    [Fact]
    public void Features_meet_in_sql_or_through_public_records()
    {
        Dictionary<string, string> allowed = new()
        {
            ["Accounts → Admin"] = "what admins did to a user is part of what support sees of one",
            ["Accounts → Credits"] = "the page of a user shows their ledger and changes their balance",
            ["Accounts → Files"] = "addresses of the files in an export; removing them",
            ["Accounts → Jobs"] = "waking the worker for jobs whose user has gone; the page of a user shows their jobs",
            ["Accounts → Operations"] = "the page of a user shows their errors",
            ["Accounts → Purchases"] = "the page of a user shows their purchases",
            ["Accounts → Sessions"] = "signing a user out; merging a guest with an Apple account and new tokens; taking Apple's permission back",
            ["Admin → Sessions"] = "an admin ends a session of their own",
            ["Catalog → Admin"] = "the topic that notifies of what an admin changed",
            ["Credits → Admin"] = "what one admin may give by themselves",
            ["Credits → Catalog"] = "limits that operators have changed, here and below",
            ["Devices → Catalog"] = "",
            ["Devices → Sessions"] = "a device that is known gets a session",
            ["Files → Catalog"] = "",
            ["Inbox → Jobs"] = "a delivery is about a job",
            ["Inbox → Notifications"] = "the page of webhooks shows what went out too",
            ["Jobs → Admin"] = "what admins did to a job is part of what support sees of one",
            ["Jobs → Catalog"] = "",
            ["Jobs → Credits"] = "the page of a job shows its ledger rows",
            ["Jobs → Files"] = "addresses of files; removing the rest of a broken download; pictures that jobs start from",
            ["Jobs → Moderation"] = "a prompt is checked before it is charged",
            ["Moderation → Admin"] = "a report shows its job as support sees one",
            ["Moderation → Files"] = "the page of a report plays its video",
            ["Operations → Admin"] = "the topic that notifies of a check that an admin asks for",
            ["Operations → Credits"] = "the check of every ledger, at night and when it is asked for",
            ["Operations → Files"] = "the overview and the page of the system show what files take",
            ["Operations → Jobs"] = "how long videos are kept; the overview sees jobs change",
            ["Purchases → Catalog"] = "",
            ["Supabase → Files"] = "keys of files in an answer become their links",
            ["Supabase → Jobs"] = "channels hear from the hub; how long links live",
            ["Supabase → Sessions"] = "the sessions that its clients open and refresh, also for whoever Apple says it is",
        };
        var arrows = FeatureArrows.Read();
        var found = arrows
            .Where(arrow => arrow.To != "Admin" || !arrow.File.Contains("/Console/", StringComparison.Ordinal))
            .ToLookup(arrow => $"{arrow.From} → {arrow.To}", arrow => arrow.File);
        Assert.Empty(found.Where(arrow => !allowed.ContainsKey(arrow.Key)).Select(arrow => $"{arrow.Key}: {string.Join(", ", arrow)}"));
        Assert.DoesNotContain(allowed.Keys, arrow => !found.Contains(arrow));
    }

    [Fact]
    public void There_is_no_circle_between_features()
    {
        Assert.Equal("", string.Join(" → ", FeatureArrows.FindCircle(FeatureArrows.Read().Select(arrow => (arrow.From, arrow.To)))));
        Assert.Equal(["b", "c", "b"], FeatureArrows.FindCircle([("a", "b"), ("b", "c"), ("c", "b"), ("c", "d")]));
    }

    [GeneratedRegex(@"\b[A-Z]\w*Module\b")]
    private static partial Regex Word();
}
