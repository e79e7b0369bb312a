using System.Net;
using Microsoft.Extensions.Logging.Abstractions;
using Reelbase.Server.Platform.Database;
using Reelbase.Tests.Support;

namespace Reelbase.Tests.Scenarios;

/// <summary>
/// The first half of a roll, which may last for hours: the previous release's database has this release's functions, but its large indexes are still being built and
/// nothing is taken away yet. This release's server has to serve and charge rightly all the while.
/// </summary>
public sealed class BeforeLastStepsTests(BeforeLastStepsTests.Halfway system) : IClassFixture<BeforeLastStepsTests.Halfway>
{
    /// <summary>A database of the previous release to which everything but the last steps was applied.</summary>
    public sealed class Halfway : TestSystem
    {
        protected override async Task<string> PrepareDatabaseAsync()
        {
            var owner = await OldNode.DatabaseAsync();
            var release = SchemaRelease.Current;
            var result = await new Migrator(owner, NullLogger.Instance)
            {
                Release = release with { Files = release.Files.Where(file => !IsLastStep(file)).ToList() },
            }.RunAsync(dryRun: false, CancellationToken.None);
            Assert.Null(result.Older);
            Assert.NotEmpty(result.Files);
            return owner;
        }

        private static bool IsLastStep(SqlFile file) => file.RunsOutsideTransaction || file.Name.EndsWith(".contract.sql", StringComparison.Ordinal);
    }

    [Fact]
    public async Task This_release_serves_before_the_last_steps_and_they_find_nothing_wrong()
    {
        var due = (await new Migrator(system.Owner, NullLogger.Instance).RunAsync(dryRun: true, CancellationToken.None)).Files;
        Assert.NotEmpty(due);
        Assert.All(due, file => Assert.EndsWith(".sql", file, StringComparison.Ordinal));

        var phone = await Phone.OnboardAsync(system.Url);
        Assert.Equal("failed", (await phone.GenerateAndWatchAsync("A job that fails [fail]")).GetProperty("status").GetString());
        Assert.Equal(10, await phone.CreditsAsync());
        Assert.Equal("completed", (await phone.GenerateAndWatchAsync("A job before the last steps")).GetProperty("status").GetString());
        Assert.Equal(2, await phone.CreditsAsync());

        var second = await Phone.OnboardAsync(system.Url);
        var key = Guid.NewGuid();
        var answers = await Task.WhenAll(Enumerable.Range(0, 4).Select(_ => second.GenerateAsync("Pressed four times", key)));
        Assert.All(answers, answer => Assert.Equal(HttpStatusCode.OK, answer.Status));
        Assert.Single(answers.Select(answer => answer["job_id"].GetString()).Distinct());
        Assert.Equal(2, await second.CreditsAsync());
        await system.AssertLedgerAsync();

        // What is written meanwhile has to fit the indexes and the rules that come last.
        Assert.Equal(due, (await new Migrator(system.Owner, NullLogger.Instance).RunAsync(dryRun: false, CancellationToken.None)).Files);
        Assert.Equal(HttpStatusCode.OK, (await (await Phone.OnboardAsync(system.Url)).GenerateAsync("After the last steps")).Status);
        await system.AssertLedgerAsync();
    }
}
