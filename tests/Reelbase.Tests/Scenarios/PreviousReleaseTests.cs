using System.Net;
using Microsoft.Extensions.Logging.Abstractions;
using Reelbase.Server.Platform.Database;
using Reelbase.Tests.Support;

namespace Reelbase.Tests.Scenarios;

/// <summary>A roll: the previous release's server, built from its commit, on this release's schema and beside this release's server.</summary>
public sealed class PreviousReleaseTests(PreviousReleaseTests.Rolling system) : IClassFixture<PreviousReleaseTests.Rolling>
{
    /// <summary>A database that the previous release made and this one migrated; the new node serves requests, the old one does the work.</summary>
    public sealed class Rolling : TestSystem
    {
        protected override Dictionary<string, string?> Settings => new() { ["Server:Roles:1"] = "api" };

        protected override Task<string> PrepareDatabaseAsync() => OldNode.UpgradedDatabaseAsync();

        public OldNode Old { get; private set; } = null!;

        public override async ValueTask InitializeAsync()
        {
            await base.InitializeAsync();
            Old = await StartOldAsync();
        }

        public override async ValueTask DisposeAsync()
        {
            await (Old?.DisposeAsync() ?? default);
            await base.DisposeAsync();
        }

        /// <summary>A node of the previous release as an operator would have started it: it migrates at its start.</summary>
        public Task<OldNode> StartOldAsync()
        {
            var settings = BaseSettings(Url, SimulatorsUrl, DataDirectory);
            settings["Database:ConnectionString"] = Owner;
            settings["Database:PoolSize"] = "16";
            settings["Media:FfmpegFile"] = settings["Media:FfprobeFile"] = "none";
            return OldNode.StartAsync(settings);
        }
    }

    [Fact]
    public async Task A_guest_of_the_old_node_presses_and_its_worker_carries_the_job_to_its_end()
    {
        var phone = await Phone.OnboardAsync(system.Old.Url);
        Assert.Equal(10, await phone.CreditsAsync());
        Assert.Equal("completed", (await phone.GenerateAndWatchAsync("A job of the old node")).GetProperty("status").GetString());
        Assert.Equal(2, await phone.CreditsAsync());
        var history = await phone.GetAsync("/get-video-jobs");
        using var video = await phone.Http.GetAsync(history["jobs"][0].GetProperty("video_url").GetString());
        Assert.Equal(HttpStatusCode.OK, video.StatusCode);
        await system.AssertLedgerAsync();
    }

    [Fact]
    public async Task A_failing_job_is_refunded_once_whichever_node_was_asked()
    {
        foreach (var url in new[] { system.Old.Url, system.Url })
        {
            var phone = await Phone.OnboardAsync(url);
            Assert.Equal("failed", (await phone.GenerateAndWatchAsync("A job that fails [fail]")).GetProperty("status").GetString());
            Assert.Equal(10, await phone.CreditsAsync());
            Assert.Equal(
                ["-8|video_generation", "8|generation_failed_refund"],
                await system.RowsAsync($"select change, reason from quota_log where user_id = '{phone.UserId}' and reason <> 'initial_grant' order by seq")
            );
        }
        await system.AssertLedgerAsync();
    }

    [Fact]
    public async Task A_guest_of_the_new_node_is_served_by_the_old_worker_and_the_other_way_round()
    {
        // Both kinds of worker take what is due, so each meets jobs that the other accepted, submitted and polled.
        await using var worker = system.BuildServer(new() { ["urls"] = "http://127.0.0.1:0", ["Server:Roles:1"] = "worker" });
        await worker.StartAsync();
        string[] prompts = ["One", "Two [fail]", "Three [no-webhook]", "Four [slow 1]", "Five [reject]", "Six [429]"];
        var phones = await Task.WhenAll(prompts.SelectMany(_ => new[] { system.Url, system.Old.Url }).Select(url => Phone.OnboardAsync(url)));
        var ends = await Task.WhenAll(phones.Select((phone, number) => phone.GenerateAndWatchAsync(prompts[number / 2])));
        for (var number = 0; number < phones.Length; number++)
        {
            var isFailure =
                prompts[number / 2].Contains("[fail]", StringComparison.Ordinal) || prompts[number / 2].Contains("[reject]", StringComparison.Ordinal);
            Assert.Equal(isFailure ? "failed" : "completed", ends[number].GetProperty("status").GetString());
            Assert.Equal(isFailure ? 10 : 2, await phones[number].CreditsAsync());
        }
        await worker.StopAsync();
        await system.AssertLedgerAsync();
    }

    [Fact]
    public async Task An_old_node_that_restarts_starts_and_puts_nothing_back()
    {
        var before = await FunctionsAsync();
        var journal = await system.RowsAsync("select name, hash, level from reelbase.schema_files order by name");
        await using (var again = await system.StartOldAsync())
        {
            Assert.Equal(before, await FunctionsAsync());
            Assert.Equal(journal, await system.RowsAsync("select name, hash, level from reelbase.schema_files order by name"));
            var phone = await Phone.OnboardAsync(again.Url);
            Assert.Equal(HttpStatusCode.OK, (await phone.GenerateAsync("After the restart")).Status);
        }
        Assert.Empty((await new Migrator(system.Owner, NullLogger.Instance).RunAsync(dryRun: false, CancellationToken.None)).Files);
    }

    [Fact]
    public async Task An_old_program_on_a_database_that_only_this_release_knows_is_refused_and_changes_nothing()
    {
        var owner = await TestCluster.CloneAsync();
        var (code, output) = await OldNode.RunAsync("migrate", "--database", owner);
        Assert.Equal(1, code);
        Assert.Contains("belongs to a newer release", output, StringComparison.Ordinal);
        Assert.Empty((await new Migrator(owner, NullLogger.Instance).RunAsync(dryRun: true, CancellationToken.None)).Files);
    }

    private Task<List<string>> FunctionsAsync() =>
        system.RowsAsync(
            "select oid::regprocedure::text, md5(prosrc), proacl::text from pg_proc where pronamespace in ('public'::regnamespace, 'internal'::regnamespace) order by 1"
        );
}
