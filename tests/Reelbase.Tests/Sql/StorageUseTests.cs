using Reelbase.Tests.Support;

namespace Reelbase.Tests.Sql;

/// <summary>What files take: appended by whoever changes a file, folded, compared with the rows, alerted once.</summary>
[Quick]
public sealed class StorageUseTests(SqlDatabase database)
{
    private const string Use =
        "select coalesce(string_agg(bucket || ' ' || bytes || ' ' || objects, ', ' order by bucket), '') from internal.read_storage_use() where bytes <> 0 or objects <> 0";

    private static async Task<Guid> NewFileAsync(SqlCase db, Guid user, string bucket, long? bytes)
    {
        var id = Guid.NewGuid();
        await db.RunAsync(
            "insert into storage_objects (id, bucket, name, user_id, size_bytes) values ($1, $2, $3, $4, $5)",
            id,
            bucket,
            id.ToString(),
            user,
            (object?)bytes ?? DBNull.Value
        );
        return id;
    }

    /// <summary>As it is before the first file.</summary>
    private async Task<SqlCase> BeginAsync()
    {
        var db = await database.BeginAsync();
        await db.RunAsync("delete from storage_use_changes; delete from storage_use");
        return db;
    }

    [Fact]
    public async Task Every_change_of_a_file_counts_once_whether_it_was_folded_or_not()
    {
        await using var db = await BeginAsync();
        var user = await db.NewUserAsync();
        await NewFileAsync(db, user, "videos", 1000);
        var pending = await NewFileAsync(db, user, "videos", null);
        var picture = await NewFileAsync(db, user, "pictures", 30);
        Assert.Equal("pictures 30 1, videos 1000 1", await db.ValueAsync<string>(Use));
        Assert.Equal(2L, await db.ValueAsync<long>("select fold_storage_use(100)"));
        Assert.Equal("pictures 30 1, videos 1000 1", await db.ValueAsync<string>(Use));
        await db.RunAsync("update storage_objects set size_bytes = 500 where id = $1", pending);
        // A file that waits to be removed still takes its place, and what changes beside its size counts for nothing.
        await db.RunAsync("update storage_objects set state = 'deleting' where id = $1", picture);
        Assert.Equal("pictures 30 1, videos 1500 2", await db.ValueAsync<string>(Use));
        Assert.Equal(1L, await db.ValueAsync<long>("select count(*) from storage_use_changes"));
        await db.RunAsync("delete from storage_objects where id = $1", picture);
        Assert.Equal("videos 1500 2", await db.ValueAsync<string>(Use));
        // A batch at a time, and at the end nothing is left to fold.
        Assert.Equal(1L, await db.ValueAsync<long>("select fold_storage_use(1)"));
        Assert.Equal(1L, await db.ValueAsync<long>("select fold_storage_use(1)"));
        Assert.Equal(0L, await db.ValueAsync<long>("select fold_storage_use(1)"));
        Assert.Equal("videos 1500 2", await db.ValueAsync<string>(Use));
        Assert.Equal(0L, await db.ValueAsync<long>("select internal.reconcile_storage_use(false)"));
    }

    [Fact]
    public async Task The_cleanup_brings_sums_that_went_wrong_to_what_the_rows_say()
    {
        await using var db = await BeginAsync();
        await NewFileAsync(db, await db.NewUserAsync(), "videos", 1000);
        await db.RunAsync("select fold_storage_use(100)");
        await db.RunAsync("update storage_use set bytes = 1, objects = 7 where bucket = 'videos'; insert into storage_use values ('pictures', 5, 1)");
        Assert.Equal(2L, await db.ValueAsync<long>("select clean_up('storage_use', '{}', 100, true)"));
        Assert.Equal("pictures 5 1, videos 1 7", await db.ValueAsync<string>(Use));
        Assert.Equal(2L, await db.ValueAsync<long>("select clean_up('storage_use', '{}', 100, false)"));
        Assert.Equal("videos 1000 1", await db.ValueAsync<string>(Use));
        Assert.Equal(0L, await db.ValueAsync<long>("select clean_up('storage_use', '{}', 100, false)"));
    }

    [Fact]
    public async Task Eighty_percent_are_alerted_once_and_again_only_after_use_was_below()
    {
        await using var db = await BeginAsync();
        await db.RunAsync("update storage_alert set above_since = null, capacity_bytes = null, raised = 1000");
        var file = await NewFileAsync(db, await db.NewUserAsync(), "videos", 799);
        var raised = new List<bool>();
        foreach (var bytes in new long[] { 799, 800, 950, 800, 799, 800 })
        {
            await db.RunAsync("update storage_objects set size_bytes = $2 where id = $1", file, bytes);
            for (var round = 0; round < 2; round++)
            {
                raised.Add(await db.ValueAsync<bool>("select watch_storage_use(1000, 80)"));
            }
        }
        Assert.Equal("FF TF FF FF FF TF", string.Join(' ', raised.Chunk(2).Select(pair => string.Concat(pair.Select(one => one ? 'T' : 'F')))));
        Assert.Equal(2L, await db.ValueAsync<long>("select count(*) from alerts where kind = 'storage_use' and dedupe_key like 'storage_use:100_'"));
        // Without a capacity nothing is alerted, and a capacity that was raised ends it.
        Assert.False(await db.ValueAsync<bool>("select watch_storage_use(2000, 80)"));
        Assert.True(await db.ValueAsync<bool>("select above_since is null and capacity_bytes = 2000 from storage_alert"));
        Assert.False(await db.ValueAsync<bool>("select watch_storage_use(null, 80)"));
        Assert.True(await db.ValueAsync<bool>("select capacity_bytes is null from storage_alert"));
    }
}
