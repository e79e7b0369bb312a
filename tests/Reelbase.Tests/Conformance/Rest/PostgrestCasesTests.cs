using System.Text;
using Microsoft.Extensions.DependencyInjection;
using Npgsql;
using Reelbase.Server.Platform.Security;
using Reelbase.Tests.Support;

namespace Reelbase.Tests.Conformance.Rest;

/// <summary>
/// The shared cases of PostgREST's true answers. They lie beside the repository and not in it; where they are not, the test says so and is content.
/// </summary>
public sealed class PostgrestCasesTests(PostgrestCasesTests.Product system, ITestOutputHelper output) : IClassFixture<PostgrestCasesTests.Product>
{
    private static readonly string Folder = Find();

    /// <summary>What is not claimed, and why: the beginning of a feature's name, or of a case's.</summary>
    private static readonly Dictionary<string, string> Skipped = new()
    {
        ["select/computed"] = "functions of the database are not offered",
        ["ordering/computed"] = "functions of the database are not offered",
        ["1073"] = "its rows among the tables are not those that the answer was taken from",
        ["1275"] = "its view stands on a function and is not among the tables",
        ["1366"] = "its expected owner is written by another case",
    };

    /// <summary>A product that serves the schema of the cases.</summary>
    public sealed class Product : TestSystem
    {
        public string Rows { get; private set; } = "";

        protected override Dictionary<string, string?> Settings =>
            new()
            {
                ["Supabase:Schemas:0"] = "test",
                ["Supabase:ServeWithoutRowSecurity"] = "true",
                ["Supabase:Aggregates"] = "true",
                ["Supabase:CatalogCheckSeconds"] = "0",
            };

        public override async ValueTask InitializeAsync()
        {
            await base.InitializeAsync();
            var file = Path.Combine(Folder, "tables-and-rows.sql");
            if (!File.Exists(file))
            {
                return;
            }
            var all = await File.ReadAllTextAsync(file);
            var from = all.IndexOf("INSERT INTO", StringComparison.Ordinal);
            var to = all.IndexOf("ADD CONSTRAINT", StringComparison.Ordinal);
            Rows = all[from..all.LastIndexOf("ALTER TABLE", to, StringComparison.Ordinal)];
            await TestCluster.ExecuteAsync(
                new NpgsqlConnectionStringBuilder(Owner) { Options = "-c TimeZone=UTC" }.ConnectionString,
                all + "; grant usage on schema test to anon; grant all on all tables in schema test to anon; grant all on all sequences in schema test to anon;"
            );
        }

        public async Task ResetAsync()
        {
            var tables = await RowsAsync("select format('%I.%I', schemaname, tablename) from pg_tables where schemaname in ('test', 'private')");
            await ExecuteAsync($"set session_replication_role = replica; {string.Concat(tables.Select(table => $"delete from {table};"))} {Rows}");
        }
    }

    /// <summary>In a folder <c>shared</c> beside the repository, or beside what it lies in.</summary>
    private static string Find()
    {
        if (Environment.GetEnvironmentVariable("REELBASE_POSTGREST_CASES") is { Length: > 0 } named)
        {
            return named;
        }
        for (var folder = Directory.GetParent(Repository.Root); folder is not null; folder = folder.Parent)
        {
            var cases = Path.Combine(folder.FullName, "shared", "conformance", "postgrest");
            if (Directory.Exists(cases))
            {
                return cases;
            }
        }
        return Path.Combine(Repository.Root, "..", "shared", "conformance", "postgrest");
    }

    [Fact]
    public async Task Every_claimed_case_is_answered_as_PostgREST_answers_it()
    {
        if (!Directory.Exists(Folder))
        {
            output.WriteLine($"The shared cases are not at {Folder}; nothing was compared.");
            return;
        }
        var key = system.Server.Services.GetRequiredService<AccessTokens>().CreateAnonKey();
        using var client = new HttpClient { BaseAddress = new Uri(system.Url) };
        client.DefaultRequestHeaders.Add("apikey", key);
        var (asRight, skipped, wrong) = (0, new List<string>(), new StringBuilder());
        foreach (var file in Directory.GetFiles(Path.Combine(Folder, "cases"), "*.yaml").Order(StringComparer.Ordinal))
        {
            var one = RestCase.Load(file);
            var reason = Skipped
                .FirstOrDefault(pair => one.Feature.StartsWith(pair.Key, StringComparison.Ordinal) || one.Name.StartsWith(pair.Key, StringComparison.Ordinal))
                .Value;
            if (reason is not null)
            {
                skipped.Add($"{one.Name}: {reason}");
                continue;
            }
            foreach (var statement in one.Preconditions.Where(each => !each.StartsWith("--", StringComparison.Ordinal)))
            {
                await system.ExecuteAsync(statement);
            }
            var faults = await one.RunAsync(client, "/rest/v1");
            if (faults.Count == 0)
            {
                asRight++;
            }
            else
            {
                wrong.AppendLine($"{one.Name} ({one.Method} {one.Path}): {string.Join("; ", faults)}");
            }
            if (one.Method is not ("GET" or "HEAD" or "OPTIONS") || one.Preconditions.Count > 0)
            {
                await system.ResetAsync();
            }
        }
        output.WriteLine($"{asRight} as PostgREST, {skipped.Count} skipped:\n{string.Join('\n', skipped)}");
        Assert.True(wrong.Length == 0, $"{asRight} right, wrong:\n{wrong}");
    }
}
