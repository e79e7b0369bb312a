using System.Text.RegularExpressions;
using Microsoft.Extensions.Logging.Abstractions;
using Npgsql;
using Reelbase.Server.Platform.Database;
using Reelbase.Tests.Support;

namespace Reelbase.Tests.Database;

/// <summary>Functions as they are called: no call is ambiguous, none is left behind, and none that the previous release makes is missing.</summary>
public sealed partial class SignatureTests(SignatureTests.Two databases) : IClassFixture<SignatureTests.Two>
{
    private const string Mark = "-- compatibility:";

    /// <summary>A fresh database, and one that the previous release made and this one migrated.</summary>
    public sealed class Two : IAsyncLifetime
    {
        public string Fresh { get; private set; } = "";
        public string Upgraded { get; private set; } = "";

        /// <summary>What each role could execute in the previous release, as <c>role name</c>.</summary>
        public List<string> Before { get; private set; } = [];

        public async ValueTask InitializeAsync()
        {
            Fresh = await TestCluster.CloneAsync();
            Upgraded = await OldNode.DatabaseAsync();
            Before = await RowsAsync(Upgraded, Executable);
            await new Migrator(Upgraded, NullLogger.Instance).RunAsync(dryRun: false, CancellationToken.None);
        }

        public ValueTask DisposeAsync() => default;
    }

    private const string Executable = """
        select distinct r.rolname || ' ' || p.proname from pg_proc p, pg_roles r
        where p.pronamespace = 'public'::regnamespace and has_function_privilege(r.oid, p.oid, 'execute')
          and r.rolname in ('anon', 'authenticated', 'reelbase_api', 'reelbase_worker', 'reelbase_admin')
        """;

    [Fact]
    public async Task An_upgraded_database_has_exactly_the_functions_of_this_release()
    {
        const string signatures =
            "select oid::regprocedure || ' returns ' || pg_get_function_result(oid) from pg_proc where pronamespace in ('public'::regnamespace, 'internal'::regnamespace, 'reelbase'::regnamespace)";
        var fresh = await RowsAsync(databases.Fresh, signatures);
        var upgraded = await RowsAsync(databases.Upgraded, signatures);
        // What an older release left is dropped by a contract file, or kept as a wrapper in a file of its own while the old nodes call it.
        Assert.Equal(fresh.Order(StringComparer.Ordinal), upgraded.Order(StringComparer.Ordinal));
    }

    [Fact]
    public async Task An_upgraded_database_is_like_a_fresh_one() =>
        Assert.Equal(await SchemaText.DescribeAsync(databases.Fresh), await SchemaText.DescribeAsync(databases.Upgraded));

    [Theory]
    [InlineData(false)]
    [InlineData(true)]
    public async Task Overloads_are_marked_wrappers_and_no_call_of_them_is_ambiguous(bool isUpgraded)
    {
        var wrappers = SchemaRelease
            .Current.Files.Where(file => file.Name.EndsWith(".function.sql", StringComparison.Ordinal))
            .SelectMany(file => Wrapper().Matches(file.Text).Select(match => match.Groups[1].Value))
            .GroupBy(name => name)
            .ToDictionary(group => group.Key, group => group.Count());
        var overloads = (
            await RowsAsync(
                isUpgraded ? databases.Upgraded : databases.Fresh,
                """
                select proname, pronargs - pronargdefaults, pronargs from pg_proc p where pronamespace in ('public'::regnamespace, 'internal'::regnamespace)
                  and exists (select from pg_proc o where o.pronamespace = p.pronamespace and o.proname = p.proname and o.oid <> p.oid)
                order by proname, pronargs
                """
            )
        ).Select(row => row.Split('|')).GroupBy(row => row[0], row => (Min: int.Parse(row[1], null), Max: int.Parse(row[2], null)));
        foreach (var group in overloads)
        {
            var forms = group.OrderBy(form => form.Min).ToList();
            Assert.True(
                wrappers.GetValueOrDefault(group.Key) >= forms.Count - 1,
                $"{group.Key} has {forms.Count} forms; all but one need a line \"{Mark} ...\" before them"
            );
            Assert.True(
                forms.Zip(forms.Skip(1)).All(pair => pair.First.Max < pair.Second.Min),
                $"A call of {group.Key} may mean two forms: {string.Join(", ", forms)}"
            );
        }
    }

    [Fact]
    public async Task Every_call_that_the_previous_release_makes_finds_one_function()
    {
        var calls = (await PreviousRelease.Recorded.FilesAsync(".cs"))
            .Where(file => file.Key.StartsWith("src/Reelbase.Server/", StringComparison.Ordinal))
            .SelectMany(file => Literal().Matches(file.Value).Select(match => match.Groups["text"].Value))
            .Where(text => Parameter().IsMatch(text) || !text.Contains('{', StringComparison.Ordinal))
            .Distinct()
            .ToList();
        Assert.True(calls.Count > 80, $"only {calls.Count} calls were found in the old source");
        var wrong = new List<string>();
        await using var connection = new NpgsqlConnection(databases.Upgraded + ";Pooling=false");
        await connection.OpenAsync();
        foreach (var call in calls)
        {
            try
            {
                await new NpgsqlCommand($"prepare old_call as {call}", connection).ExecuteNonQueryAsync();
                await new NpgsqlCommand("deallocate old_call", connection).ExecuteNonQueryAsync();
            }
            catch (PostgresException error) when (error.SqlState is "42883" or "42725" or "42P01" or "42703")
            {
                wrong.Add($"{call}: {error.MessageText}");
            }
            catch (PostgresException error)
            {
                TestContext.Current.TestOutputHelper?.WriteLine($"not a call: {call}: {error.MessageText}");
            }
        }
        Assert.Empty(wrong);
        // A wrapper without its grant is as good as none.
        var after = await RowsAsync(databases.Upgraded, Executable);
        var called = calls.SelectMany(call => Name().Matches(call).Select(match => match.Groups[1].Value)).ToHashSet();
        var lost = databases.Before.Except(after).Where(pair => called.Contains(pair.Split(' ')[1])).ToList();
        Assert.True(lost.Count == 0, string.Join("; ", lost));
    }

    private static async Task<List<string>> RowsAsync(string owner, string sql)
    {
        await using var connection = new NpgsqlConnection(owner + ";Pooling=false");
        await connection.OpenAsync();
        await using var command = new NpgsqlCommand(sql, connection);
        await using var reader = await command.ExecuteReaderAsync();
        var rows = new List<string>();
        while (await reader.ReadAsync())
        {
            rows.Add(string.Join('|', Enumerable.Range(0, reader.FieldCount).Select(reader.GetValue)));
        }
        return rows;
    }

    [GeneratedRegex(@"^-- compatibility:[^\n]*\n(?:--[^\n]*\n|drop [^\n]*\n)*create (?:or replace )?function (?:internal\.)?(\w+)", RegexOptions.Multiline)]
    private static partial Regex Wrapper();

    [GeneratedRegex("\"(?<text>select [^\"\\\\\n]*)\"")]
    private static partial Regex Literal();

    [GeneratedRegex(@"\$\d")]
    private static partial Regex Parameter();

    [GeneratedRegex(@"\b([a-z_][a-z0-9_]*)\(")]
    private static partial Regex Name();
}
