using System.Text.RegularExpressions;
using Microsoft.Extensions.Logging.Abstractions;
using Npgsql;
using Reelbase.Server.Platform.Database;
using Reelbase.Tests.Support;

namespace Reelbase.Tests.Database;

/// <summary>Databases that others made: with a locale of their own, and with times that are no moment.</summary>
public sealed partial class OldDatabaseTests
{
    private const string Guest = "10000000-0000-4000-8000-000000000001";
    private const string Member = "10000000-0000-4000-8000-000000000003";

    /// <summary>The product on a Turkish database.</summary>
    public sealed class Turkish : AdminSystem
    {
        protected override async Task<string> PrepareDatabaseAsync()
        {
            var owner = await TestCluster.EmptyAsync("template template0 encoding 'UTF8' locale_provider icu icu_locale 'tr-TR' locale 'C'");
            await new Migrator(owner, NullLogger.Instance).RunAsync(dryRun: false, CancellationToken.None);
            return owner;
        }
    }

    [Fact]
    public async Task A_turkish_database_finds_an_address_in_capitals_and_a_prompt_in_any_case()
    {
        await using var system = new Turkish();
        await system.InitializeAsync();
        Assert.Equal("ınfo", await system.QueryAsync<string>("select lower('INFO')"));
        await system.ExecuteAsync("insert into users (email, is_guest) values ('INFO@Example.com', false)");
        var found = await system.GetAsync("/admin-search-users?q=info%40example");
        Assert.True(found.Json.ValueKind == System.Text.Json.JsonValueKind.Object, found.Text);
        Assert.Equal("INFO@Example.com", found["rows"][0].GetProperty("email").GetString());
        Assert.Equal(
            system.AdminId,
            await system.QueryAsync<Guid>("select user_id from (select create_admin('FIRST@Support.example', 'a hash', 'sealed') as user_id) again")
        );
        var phone = await system.NewGuestAsync();
        await phone.GenerateAsync("INSIDE the İstanbul ŞEHİR");
        foreach (var query in new[] { "inside", "INSIDE", "istanbul", "şehir", "ISTANBUL" })
        {
            Assert.Single((await phone.GetAsync($"/get-video-jobs?query={Uri.EscapeDataString(query)}"))["jobs"].EnumerateArray());
        }
        Assert.Contains(
            "users_normalized_email_idx",
            string.Join(
                '\n',
                await system.RowsAsync("set enable_seqscan = off; explain select id from users where internal.normalize_email(email) like 'info@%'")
            ),
            StringComparison.Ordinal
        );
    }

    [Fact]
    public async Task Infinity_in_an_older_database_is_mended_reported_and_refused_from_then_on()
    {
        var owner = await TestCluster.EmptyAsync();
        await TestCluster.ExecuteAsync(
            owner,
            await File.ReadAllTextAsync(Path.Combine(AppContext.BaseDirectory, "Platform", "Database", "Fixtures", "older-database.sql"))
                + $"""

                update users set created_at = '-infinity', updated_at = 'infinity' where id = '{Guest}';
                update video_jobs set created_at = 'infinity', completed_at = 'infinity' where user_id = '{Guest}';
                update quota_log set created_at = 'infinity' where user_id = '{Guest}';
                alter table models add column sunset_at timestamptz; update models set sunset_at = 'infinity';
                """
        );
        var result = await new Migrator(owner, NullLogger.Instance).RunAsync(dryRun: false, CancellationToken.None);
        Assert.Contains("models: 2 rows had a time that is no moment (infinity); it is now, 1970 or none instead", result.Report);
        Assert.Contains(result.Report, line => line.StartsWith("quota_log: 2 rows had a time", StringComparison.Ordinal));
        foreach (
            var (table, column) in new[]
            {
                ("users", "created_at"),
                ("users", "updated_at"),
                ("video_jobs", "completed_at"),
                ("quota_log", "created_at"),
                ("models", "created_at"),
            }
        )
        {
            Assert.Equal("0", await OneAsync(owner, $"select count(*) from {table} where not isfinite({column})"));
        }
        Assert.Equal("2", await OneAsync(owner, "select count(*) from models where sunset_at is null"));
        Assert.Equal("1970", await OneAsync(owner, $"select extract(year from created_at at time zone 'UTC') from users where id = '{Guest}'"));
        Assert.Equal("0", await OneAsync(owner, "select count(*) from check_ledger()"));
        Assert.Equal("0", await OneAsync(owner, "select count(*) from pg_trigger where tgenabled <> 'O'"));
        Assert.Equal("0", await OneAsync(owner, "select count(*) from pg_constraint where not convalidated and conname like '%times_check'"));
        foreach (
            var statement in new[]
            {
                "update models set sunset_at = 'infinity'",
                "update users set banned_at = '-infinity'",
                "update video_jobs set created_at = '20000-01-01'",
            }
        )
        {
            Assert.Equal("23514", (await Assert.ThrowsAsync<PostgresException>(() => TestCluster.ExecuteAsync(owner, statement))).SqlState);
        }
    }

    [Fact]
    public async Task The_upgrade_makes_nobody_an_admin_and_names_who_had_the_flag()
    {
        var owner = await TestCluster.EmptyAsync();
        await TestCluster.ExecuteAsync(
            owner,
            await File.ReadAllTextAsync(Path.Combine(AppContext.BaseDirectory, "Platform", "Database", "Fixtures", "older-database.sql"))
                + $"\nupdate users set is_admin = true where id in ('{Guest}', '{Member}');"
        );
        var result = await new Migrator(owner, NullLogger.Instance).RunAsync(dryRun: false, CancellationToken.None);
        Assert.Equal("0", await OneAsync(owner, "select count(*) from users where is_admin"));
        Assert.Equal(
            new[] { Guest, Member },
            result.Report.Where(line => line.Contains("is_admin", StringComparison.Ordinal)).Select(line => line.Split(' ', ':')[1]).Order()
        );
    }

    [Fact]
    public async Task Premium_of_somebody_who_has_bought_nothing_is_not_imported_and_is_named()
    {
        var owner = await TestCluster.EmptyAsync();
        await TestCluster.ExecuteAsync(
            owner,
            await File.ReadAllTextAsync(Path.Combine(AppContext.BaseDirectory, "Platform", "Database", "Fixtures", "older-database.sql"))
                + $"\nupdate users set tier = 'premium' where id in ('{Guest}', '{Member}');"
        );
        var result = await new Migrator(owner, NullLogger.Instance).RunAsync(dryRun: false, CancellationToken.None);
        // The member has bought something, which may have been that.
        Assert.Equal(
            $"{Guest} free , {Member} premium import",
            await OneAsync(
                owner,
                $"select string_agg(concat_ws(' ', id, tier, coalesce(premium_granted_by, '')), ', ' order by id) from users where id in ('{Guest}', '{Member}')"
            )
        );
        Assert.Single(result.Report, line => line.Contains($"user {Guest}", StringComparison.Ordinal) && line.Contains("premium", StringComparison.Ordinal));
        Assert.Contains(result.Report, line => line.StartsWith($"user {Guest} was premium without ever having bought anything", StringComparison.Ordinal));
        Assert.Contains(result.Report, line => line.StartsWith($"user {Member} is premium and nothing says why", StringComparison.Ordinal));
    }

    [Fact]
    public async Task A_flag_that_an_earlier_release_imported_goes_and_whom_the_command_line_made_stays()
    {
        var owner = await TestCluster.CloneAsync();
        await TestCluster.ExecuteAsync(
            owner,
            $"""
            insert into users (id, email, is_guest, is_admin) values ('{Member}', 'ada@example.com', false, true);
            insert into admin_credentials (user_id, password_hash, totp_secret) values ('{Member}', 'a hash', 'sealed');
            insert into sessions (id, user_id, method) values (gen_random_uuid(), '{Member}', 'admin');
            select create_admin('made@support.example', 'a hash', 'sealed');
            delete from reelbase.schema_files where name like '%/0031%'; drop table if exists admin_sign_in_failures;
            """
        );
        var result = await new Migrator(owner, NullLogger.Instance) { Reapply = true }.RunAsync(dryRun: false, CancellationToken.None);
        Assert.Equal("made@support.example", await OneAsync(owner, "select string_agg(email, ',') from users where is_admin"));
        Assert.Equal("0", await OneAsync(owner, $"select count(*) from sessions where user_id = '{Member}' and revoked_at is null"));
        Assert.Equal("0", await OneAsync(owner, $"select count(*) from admin_credentials where user_id = '{Member}'"));
        Assert.Contains(result.Report, line => line.StartsWith($"user {Member} had is_admin", StringComparison.Ordinal));
    }

    [Fact]
    public async Task An_admin_who_saves_a_model_that_ends_at_infinity_is_refused()
    {
        await using var system = new AdminSystem();
        await system.InitializeAsync();
        var answer = await system.PostAsync(
            "/admin-save-model",
            new
            {
                model_id = Catalog.FastModel,
                sunset_at = "infinity",
                reason = "never ends",
            },
            Guid.NewGuid()
        );
        Assert.Equal("ERR_4000", answer.Code);
    }

    [Fact]
    public async Task Every_time_in_json_of_an_export_and_of_support_has_the_one_form_and_a_prompt_stays_as_it_is()
    {
        await using var system = new AdminSystem();
        await system.InitializeAsync();
        var phone = await system.NewGuestAsync();
        const string prompt = "2026-01-02T03:04:05.5+00:00";
        await phone.GenerateAndWatchAsync(prompt);
        var job = (await phone.GetAsync("/get-video-jobs"))["jobs"][0].GetProperty("job_id").GetString();
        string[] texts =
        [
            (await phone.PostAsync("/export-user-data", new { })).Text,
            .. await Task.WhenAll(
                new[]
                {
                    $"/admin-get-job?job_id={job}",
                    $"/admin-get-user?user_id={phone.UserId}",
                    "/admin-search-users",
                    "/admin-list-models",
                    "/admin-list-themes",
                    "/admin-list-products",
                    $"/admin-get-trace?id={job}",
                    "/admin-system",
                    "/admin-overview",
                    "/admin-list-admins",
                    $"/admin-list-ledger?user_id={phone.UserId}",
                }.Select(async path => (await system.GetAsync(path)).Text)
            ),
        ];
        foreach (var text in texts)
        {
            Assert.True(CanonicalTime().IsMatch(text), text);
            Assert.All(AnyTime().Matches(text).Select(match => match.Value), time => Assert.True(time == prompt || CanonicalTime().IsMatch(time), time));
        }
        Assert.Contains(prompt, texts[0], StringComparison.Ordinal);
        Assert.Contains(prompt, texts[1], StringComparison.Ordinal);
    }

    [Fact]
    [Trait("Check", "yes")]
    public void No_function_writes_a_time_into_json_by_itself() =>
        Assert.Empty(
            from file in SchemaRelease.Current.Files
            where file.Name.EndsWith(".function.sql", StringComparison.Ordinal)
            from Match match in BareTime().Matches(file.Text)
            select $"{file.Name}: {match.Value}"
        );

    [Fact]
    [Trait("Check", "yes")]
    public void No_function_compares_addresses_by_the_locale_of_the_database() =>
        Assert.Empty(
            from file in SchemaRelease.Current.Files
            where file.Name.EndsWith(".function.sql", StringComparison.Ordinal) && LocaleDependent().IsMatch(file.Text)
            select file.Name
        );

    private static async Task<string> OneAsync(string owner, string sql)
    {
        await using var connection = new NpgsqlConnection(owner + ";Pooling=false");
        await connection.OpenAsync();
        await using var command = new NpgsqlCommand(sql, connection);
        return Convert.ToString(await command.ExecuteScalarAsync(), System.Globalization.CultureInfo.InvariantCulture) ?? "";
    }

    [GeneratedRegex(@"\d{4}-\d\d-\d\dT[\d:.]+(Z|[+-]\d\d:\d\d)?")]
    private static partial Regex AnyTime();

    [GeneratedRegex(@"\d{4}-\d\d-\d\dT\d\d:\d\d:\d\d\.\d{3}Z")]
    private static partial Regex CanonicalTime();

    /// <summary>A pair of a JSON object whose name is a time's and whose value is a column.</summary>
    [GeneratedRegex(@"'(at|\w+_at|\w+_until|\w+_since|run_after)',\s*(?!to_json_time\(|'|null\b)[a-z_]+[.(][^,)]*")]
    private static partial Regex BareTime();

    [GeneratedRegex(@"\blower\(\s*(\w+\.)?(p_)?email\s*\)|\bilike\b|\blower\([^)]*prompt", RegexOptions.IgnoreCase)]
    private static partial Regex LocaleDependent();
}
