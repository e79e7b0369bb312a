using Microsoft.Extensions.DependencyInjection;
using Reelbase.Server.Features.Files;
using Reelbase.Server.Platform.Storage;
using Reelbase.Tests.Storage;
using Reelbase.Tests.Support;

namespace Reelbase.Tests.Features;

/// <summary>A store that is not mounted, another installation's, or half lost is left alone; a few wrong files are put right, a page at a time.</summary>
public abstract class StorageReconcilerTests(StorageReconcilerTests.Installation system)
{
    public class Installation : TestSystem
    {
        protected override Dictionary<string, string?> Settings =>
            new()
            {
                ["Files:OrphanMinutes"] = "0",
                ["Files:PageRows"] = "3",
                ["Files:MaxMissingFiles"] = "2",
                ["Files:MaxMissingPercent"] = "5",
                // The tests call it themselves.
                ["Files:PollSeconds"] = "3600",
            };

        public override async ValueTask InitializeAsync()
        {
            await base.InitializeAsync();
            // Its own first round is over.
            await Eventually.IsAsync(
                () =>
                    QueryAsync<long>(
                        "select count(*) from schedules where name = 'storage_check' and exists (select from installation where store_marked_at is not null)"
                    ),
                rows => rows == 1
            );
        }
    }

    private IFileStore Store => system.Server.Services.GetRequiredService<IFileStore>();

    private StorageReconciler Reconciler => system.Server.Services.GetRequiredService<StorageReconciler>();

    private static CancellationToken None => CancellationToken.None;

    [Fact]
    public async Task A_new_installation_marks_its_store()
    {
        await BeginAsync(0);
        Assert.Equal(await system.QueryAsync<Guid>("select id from installation"), Guid.Parse((await Store.ReadMarkerAsync(None))!));
    }

    [Theory]
    [InlineData("no mark")]
    [InlineData("another installation's mark")]
    public async Task A_store_without_our_mark_is_left_alone_and_alerts(string what)
    {
        await BeginAsync(4);
        await PutAsync("nobody/orphan.mp4");
        await RemoveAsync(1, 1);
        await ReplaceMarkAsync(what == "no mark" ? null : Guid.NewGuid().ToString());

        var report = await RunAsync();
        Assert.Contains("mark of", report.Stopped, StringComparison.Ordinal);
        await AssertUntouchedAsync(rows: 4, orphans: ["nobody/orphan.mp4"]);

        // An operator who knows that this is the store goes on, and it is ours from then on.
        await system.ExecuteAsync("select request_storage_check(true)");
        Assert.Equal((1, 1, null), await RepairedAsync());
        Assert.Equal(await system.QueryAsync<Guid>("select id from installation"), Guid.Parse((await Store.ReadMarkerAsync(None))!));
        Assert.Null((await RunAsync()).Stopped);
    }

    [Fact]
    public async Task Many_missing_files_change_nothing_until_an_operator_forces_it()
    {
        await BeginAsync(10);
        await RemoveAsync(1, 3);
        Assert.Equal("3 of 10 files that there should be are missing", (await RunAsync()).Stopped);
        await AssertUntouchedAsync(rows: 10, orphans: []);
        Assert.Equal(
            ["{\"rows\": 10, \"files\": 7, \"missing\": 3, \"orphans\": 0, \"stopped\": \"3 of 10 files that there should be are missing\"}"],
            await system.RowsAsync("select report from schedules where name = 'storage_check'")
        );
        await system.ExecuteAsync("select request_storage_check(true)");
        Assert.Equal((0, 3, null), await RepairedAsync());
        Assert.Equal(7L, await system.QueryAsync<long>("select count(*) from storage_objects"));
        Assert.Equal(["storage_check|{\"force\": true}"], await system.RowsAsync("select action_type, details from admin_actions order by id desc limit 1"));
    }

    [Fact]
    public async Task Many_files_that_nobody_knows_are_not_removed()
    {
        await BeginAsync(4);
        // A database from before these files: every one of them would go.
        foreach (var number in Enumerable.Range(0, 5))
        {
            await PutAsync($"lost/{number}.mp4");
        }
        Assert.Equal("5 of 9 files in it are unknown to the database", (await RunAsync()).Stopped);
        await AssertUntouchedAsync(rows: 4, orphans: ["lost/0.mp4", "lost/4.mp4"]);
    }

    [Fact]
    public async Task A_few_are_reconciled_wherever_the_pages_end()
    {
        await BeginAsync(11);
        await RemoveAsync(1, 1);
        await RemoveAsync(11, 11);
        await PutAsync("0.mp4");
        await PutAsync("zzz.mp4");
        Assert.Equal((2, 2, null), await RepairedAsync());
        Assert.Equal(9L, await system.QueryAsync<long>("select count(*) from storage_objects"));
        Assert.Equal((0, 0, null), await RepairedAsync());
    }

    [Fact]
    public async Task A_comparison_that_broke_off_goes_on_where_it_was()
    {
        await BeginAsync(9);
        // The node that had counted the first six rows died; what it had counted stands in its progress.
        await system.ExecuteAsync(
            """
            insert into schedules (name, progress) values ('storage_check', jsonb_build_object('saved_at', clock_timestamp(), 'IsHealing', false,
              'Bucket', 'videos', 'Name', 'u/006.mp4', 'Counted', '{"Rows":600,"Files":600,"Orphans":0,"Missing":0}'::jsonb,
              'Healed', '{"Rows":0,"Files":0,"Orphans":0,"Missing":0}'::jsonb))
            """
        );
        var report = await RunAsync();
        Assert.Equal((603, 603), (report.Rows, report.Files));
        Assert.Equal(9, (await RunAsync()).Rows);
    }

    /// <summary>An empty store and table with so many files in both.</summary>
    private protected async Task BeginAsync(int count)
    {
        await system.ExecuteAsync("delete from storage_objects; delete from schedules; delete from alerts; update installation set store_marked_at = null");
        var old = new List<StoredFile>();
        await foreach (var file in Store.ListAsync("", "", None))
        {
            old.Add(file);
        }
        foreach (var file in old)
        {
            await Store.DeleteAsync(file.Bucket, file.Name, None);
        }
        await ReplaceMarkAsync(null);
        await Reconciler.MarkNewStoreAsync(None);
        var phone = await system.NewGuestAsync();
        foreach (var number in Enumerable.Range(1, count))
        {
            await PutAsync($"u/{number:000}.mp4");
            await system.ExecuteAsync(
                $"insert into storage_objects (bucket, name, user_id, state, size_bytes, content_type, stored_at) values ('videos', 'u/{number:000}.mp4', '{phone.UserId}', 'stored', 1, 'video/mp4', now() - interval '1 hour')"
            );
        }
    }

    private protected async Task PutAsync(string name)
    {
        var path = Store.NewTemporaryPath();
        await File.WriteAllTextAsync(path, "x");
        await Store.PutAsync("videos", name, path, "video/mp4", None);
    }

    private async Task RemoveAsync(int first, int last)
    {
        for (var number = first; number <= last; number++)
        {
            await Store.DeleteAsync("videos", $"u/{number:000}.mp4", None);
        }
    }

    private protected async Task<StorageReport> RunAsync()
    {
        // A store may round times up: what was written just now is then of the next second, and too young to be checked.
        await Eventually.IsAsync(
            async () =>
            {
                var last = DateTime.MinValue;
                await foreach (var file in Store.ListAsync("", "", None))
                {
                    last = file.ModifiedAt > last ? file.ModifiedAt : last;
                }
                return last;
            },
            last => last <= DateTime.UtcNow
        );
        return (await Reconciler.RunAsync(DateTime.UtcNow.AddDays(1), None))!;
    }

    private protected async Task<(long Orphans, long Missing, string? Stopped)> RepairedAsync()
    {
        var report = await RunAsync();
        return (report.Orphans, report.Missing, report.Stopped);
    }

    private async Task AssertUntouchedAsync(long rows, string[] orphans)
    {
        Assert.Equal(rows, await system.QueryAsync<long>("select count(*) from storage_objects where state = 'stored'"));
        foreach (var orphan in orphans)
        {
            Assert.True(await Store.ExistsAsync("videos", orphan, None), orphan);
        }
        Assert.Equal(
            ["storage_check|1"],
            await system.RowsAsync("select kind, count(*) from alerts where kind like '%file%' or kind like 'storage%' group by kind")
        );
    }

    private protected abstract Task ReplaceMarkAsync(string? mark);

    /// <summary>The same, with its files in Swift.</summary>
    public sealed class InSwift : Installation
    {
        public SwiftServer Swift { get; } = new();

        protected override Dictionary<string, string?> Settings =>
            new(base.Settings)
            {
                ["Storage:Kind"] = "s3",
                ["Storage:ServiceUrl"] = Swift.Url,
                ["Storage:Bucket"] = SwiftServer.Bucket,
                ["Storage:AccessKey"] = SwiftServer.AccessKey,
                ["Storage:SecretKey"] = SwiftServer.SecretKey,
            };

        public override async ValueTask InitializeAsync()
        {
            await Swift.InitializeAsync();
            await base.InitializeAsync();
        }

        public override async ValueTask DisposeAsync()
        {
            await base.DisposeAsync();
            await Swift.DisposeAsync();
        }
    }
}

/// <summary>On the local disk.</summary>
public sealed class LocalStorageReconcilerTests(StorageReconcilerTests.Installation system)
    : StorageReconcilerTests(system),
        IClassFixture<StorageReconcilerTests.Installation>
{
    private readonly string _root = Path.Combine(system.DataDirectory, "storage");

    [Fact]
    public async Task A_disk_that_is_not_mounted_loses_neither_rows_nor_files()
    {
        await BeginAsync(4);
        Directory.Move(_root, _root + ".unmounted");
        try
        {
            Directory.CreateDirectory(Path.Combine(_root, ".tmp"));
            Assert.Contains("not mounted", (await RunAsync()).Stopped, StringComparison.Ordinal);
        }
        finally
        {
            Directory.Delete(_root, recursive: true);
            Directory.Move(_root + ".unmounted", _root);
        }
        Assert.Equal((0, 0, null), await RepairedAsync());
        Assert.Equal(4, (await RunAsync()).Rows);
    }

    [Fact]
    public async Task A_disks_own_folder_and_a_strangers_files_do_not_hurt_and_stay()
    {
        await BeginAsync(2);
        string[] foreign = ["lost+found/#12", "videos/lost+found/#13", "videos/u/lost+found/#14", "backups/yesterday.tar"];
        foreach (var name in foreign)
        {
            Directory.CreateDirectory(Path.GetDirectoryName(Path.Combine(_root, name))!);
            await File.WriteAllTextAsync(Path.Combine(_root, name), "x");
        }
        Assert.Equal((0, 0, null), await RepairedAsync());
        Assert.All(foreign, name => Assert.True(File.Exists(Path.Combine(_root, name)), name));
    }

    private protected override async Task ReplaceMarkAsync(string? mark)
    {
        var path = Path.Combine(_root, StoreBuckets.Marker);
        File.Delete(path);
        if (mark is not null)
        {
            await File.WriteAllTextAsync(path, mark);
        }
    }
}

/// <summary>In an S3-compatible store.</summary>
[Trait("Needs", "swift")]
public sealed class S3StorageReconcilerTests(StorageReconcilerTests.InSwift system)
    : StorageReconcilerTests(system),
        IClassFixture<StorageReconcilerTests.InSwift>
{
    private protected override async Task ReplaceMarkAsync(string? mark)
    {
        using var client = new Amazon.S3.AmazonS3Client(
            SwiftServer.AccessKey,
            SwiftServer.SecretKey,
            new Amazon.S3.AmazonS3Config
            {
                ServiceURL = system.Swift.Url,
                ForcePathStyle = true,
                AuthenticationRegion = "us-east-1",
            }
        );
        if (mark is null)
        {
            try
            {
                await client.DeleteObjectAsync(SwiftServer.Bucket, StoreBuckets.Marker);
            }
            catch (Amazon.S3.AmazonS3Exception error) when (error.StatusCode == System.Net.HttpStatusCode.NotFound)
            {
                // There was none.
            }
        }
        else
        {
            await system.Server.Services.GetRequiredService<IFileStore>().WriteMarkerAsync(mark, CancellationToken.None);
        }
    }
}
