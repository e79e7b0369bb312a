using System.Globalization;
using Npgsql;
using Reelbase.Server.Platform.Database;

namespace Reelbase.Tests.Support;

/// <summary>The database of the former app, with whatever had gone wrong in it and a crowd.</summary>
public sealed class SupabaseProject
{
    /// <summary>The address of its database.</summary>
    public required string Database { get; init; }

    /// <summary>As the command line takes it.</summary>
    public string Url => ConnectionStrings.ToUrl(Database);

    /// <summary>A new one.</summary>
    public static async Task<SupabaseProject> CreateAsync(int crowd = 0)
    {
        var database = new NpgsqlConnectionStringBuilder(await TestCluster.EmptyAsync()) { CommandTimeout = 600 }.ConnectionString;
        var sql = await File.ReadAllTextAsync(Path.Combine(AppContext.BaseDirectory, "Platform", "Database", "Fixtures", "supabase-project.sql"));
        await TestCluster.ExecuteAsync(database, sql.Replace("{users}", crowd.ToString(CultureInfo.InvariantCulture), StringComparison.Ordinal));
        return new() { Database = database };
    }

    /// <summary>Everything in it as one number, to see that nobody has written.</summary>
    public async Task<string> ChecksumAsync()
    {
        var sums = new List<string>();
        foreach (
            var table in await RowsAsync(
                Database,
                "select format('%I.%I', schemaname, tablename) from pg_tables where schemaname in ('public', 'auth', 'storage', 'cron') order by 1"
            )
        )
        {
            sums.AddRange(
                await RowsAsync(
                    Database,
                    $"select '{table} ' || count(*) || ' ' || coalesce(sum(hashtextextended(t::text, 0)::numeric), 0) || ' ' || coalesce(max(xmin::text::bigint), 0) from {table} t"
                )
            );
        }
        return string.Join('\n', sums);
    }

    /// <summary>The rows of a query, their columns joined by a bar.</summary>
    public static async Task<List<string>> RowsAsync(string connectionString, string sql)
    {
        await using var connection = new NpgsqlConnection(
            new NpgsqlConnectionStringBuilder(connectionString) { Pooling = false, CommandTimeout = 600 }.ConnectionString
        );
        await connection.OpenAsync();
        await using var command = new NpgsqlCommand(sql, connection);
        await using var reader = await command.ExecuteReaderAsync();
        var rows = new List<string>();
        while (await reader.ReadAsync())
        {
            rows.Add(string.Join('|', Enumerable.Range(0, reader.FieldCount).Select(i => Convert.ToString(reader.GetValue(i), CultureInfo.InvariantCulture))));
        }
        return rows;
    }
}
