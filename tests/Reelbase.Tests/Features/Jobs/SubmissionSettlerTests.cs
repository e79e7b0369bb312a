using Microsoft.Extensions.DependencyInjection;
using Reelbase.Server.Features.Jobs.GenerateVideo;
using Reelbase.Tests.Support;

namespace Reelbase.Tests.Features;

/// <summary>Asking providers about jobs that ended before they answered: what throws at one submission holds up no other, of its provider or of another.</summary>
public sealed class SubmissionSettlerTests(SubmissionSettlerTests.Idle system) : IClassFixture<SubmissionSettlerTests.Idle>
{
    /// <summary>A product whose workers stand still, so that only the test settles anything.</summary>
    public sealed class Idle : TestSystem
    {
        protected override Dictionary<string, string?> Settings => new() { ["Server:Roles:1"] = "api" };
    }

    [Fact]
    public async Task A_submission_that_throws_holds_up_no_other()
    {
        var phone = await system.NewGuestAsync(100);
        var job = (await phone.GenerateAsync("Ended before it was answered"))["job_id"].GetString()!;
        // The last time that each is asked: what was dealt with is asked about no more.
        await system.ExecuteAsync(
            $"""
            insert into job_submissions (job_id, user_id, provider, attempt, outcome, provider_job_id, webhook_token_hash, settle_after, settle_attempt)
            select j.job_id, j.user_id, p.name, p.place, 'failed', p.name || p.place, sha256(p.place::text::bytea), now() - interval '1 hour' + p.place * interval '1 second', 11
            from video_jobs j, unnest(array['fal', 'fal', 'runway', 'runway']) with ordinality p (name, place) where j.job_id = '{job}'
            """
        );
        await system.ExecuteAsync(
            $"""
            create function throws_for_test() returns trigger language plpgsql as $f$ begin raise exception 'this one throws'; end $f$;
            create trigger throws_for_test before update on job_submissions for each row
              when (old.job_id = '{job}' and old.attempt in (1, 3) and new.settle_attempt = old.settle_attempt) execute function throws_for_test();
            """
        );
        await using var trigger = new Planted(() => system.ExecuteAsync("drop trigger throws_for_test on job_submissions; drop function throws_for_test()"));
        var settler = ActivatorUtilities.CreateInstance<SubmissionSettler>(
            system.Server.Services,
            ActivatorUtilities.CreateInstance<ProviderBills>(system.Server.Services)
        );
        await settler.SettleAsync(CancellationToken.None);
        Assert.Equal(
            ["1|12|True", "2|12|False", "3|12|True", "4|12|False"],
            await system.RowsAsync($"select attempt, settle_attempt, settle_after is not null from job_submissions where job_id = '{job}' order by attempt")
        );
    }
}
