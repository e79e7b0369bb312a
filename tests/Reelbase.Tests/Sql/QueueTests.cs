using Reelbase.Tests.Support;

namespace Reelbase.Tests.Sql;

/// <summary>Who is next at a provider, as scripts. Small letters are guests, capitals pay for premium; a job is its user's letter and a number.</summary>
[Quick]
[Collection(JobClaimTests.Queue)]
public sealed class QueueTests(SqlDatabase database)
{
    private const string Places =
        "select job_id, internal.queue_position(job_id) as place from video_jobs where stage = 'queued' and internal.queue_position(job_id) is not null";

    [Theory]
    [InlineData("press a b c; line a1 b1 c1")]
    // Everybody's first before anybody's second, each user's own by age.
    [InlineData("press a a a b b c; line a1 b1 c1 a2 b2 a3")]
    // Of four places three are premium's while both wait.
    [InlineData("press a b A B C D; line A1 B1 C1 a1 D1 b1")]
    [InlineData("press a b c A; line A1 a1 b1 c1")]
    [InlineData("press a A A A A A; line A1 A2 A3 a1 A4 A5")]
    [InlineData("press A B C D E F G a b; line A1 B1 C1 a1 D1 E1 F1 b1 G1")]
    // What is claimed is what the queue said, and the share of each tier goes on where it stood.
    [InlineData("press a b A B C D; claim 2 of 9 A1 B1; line C1 a1 D1 b1; claim 9 of 9 C1 a1 D1 b1")]
    [InlineData("press a A; claim 1 of 9 A1; press B C; line B1 C1 a1")]
    // Served, and after everybody who waited then; a newcomer comes after those.
    [InlineData("press a a b c; claim 1 of 9 a1; line b1 c1 a2; press d; line b1 c1 a2 d1")]
    [InlineData("press a a b b; claim 2 of 9 a1 b1; press c; line a2 b2 c1")]
    // No more than there is room for, counting those that are with the provider.
    [InlineData("press a b c d; claim 9 of 2 a1 b1; claim 9 of 2; line c1 d1; fail a1; claim 9 of 2 c1; claim 9 of 3 d1")]
    [InlineData("press a b; claim 0 of 9; claim 9 of 0; line a1 b1")]
    // Held by one, it is nobody else's until the lease is over; then it keeps its place.
    [InlineData("press a b; claim 1 of 9 a1; claim 9 of 9 b1; claim 9 of 9; expire a1; claim 9 of 9 a1")]
    // Paused, or over the budget: nobody; over the guests' part of it: no guests.
    [InlineData("press a A; pause; claim 9 of 9; line A1 a1; resume; claim 9 of 9 A1 a1")]
    [InlineData("press a A; spend 100; claim 9 of 9; line A1 a1")]
    [InlineData("press a b M A; spend 60; claim 9 of 9 M1 A1; line a1 b1")]
    // Every place that is given away counts before the next one is, and what is being handed over counts too: one of the script's hundred each.
    [InlineData("press A B C; spend 98; claim 9 of 9 A1 B1; line C1; claim 9 of 9")]
    [InlineData("press a b c; spend 48; claim 9 of 9 a1 b1; claim 9 of 9; press A; claim 9 of 9 A1")]
    // Put off before it was handed out, it is passed over, has no place, and comes as if new when it is due.
    [InlineData("press a b c; later a1; claim 1 of 9 b1; line c1; now a1; line c1 a1; claim 9 of 9 c1 a1")]
    [InlineData("press A B a b; later A1; later B1; line a1 b1; claim 9 of 9 a1 b1")]
    // What comes back alternates with what is new, so that jobs that are refused again and again shut nobody out.
    [InlineData("press a a a b b b; claim 3 of 9 a1 b1 a2; refuse a1 b1 a2; line a1 b2 b1 a3 a2 b3; claim 9 of 9 a1 b2 b1 a3 a2 b3")]
    [InlineData("press a b c d e; claim 4 of 9 a1 b1 c1 d1; refuse a1 b1; line e1 a1 b1; claim 9 of 9 e1 a1 b1")]
    // A dead worker's job came back when its lease ended, before what was refused after that.
    [InlineData("press a b c d; claim 2 of 9 a1 b1; refuse b1; expire a1; line a1 c1 b1 d1; claim 9 of 9 a1 c1 b1 d1")]
    // One that leaves unserved moves its user's others up; whoever changes tier goes where they would have been there.
    [InlineData("press a a a b b; cancel a1; line a2 b1 a3 b2")]
    [InlineData("press a a a b b; cancel a2; line a1 b1 a3 b2; claim 9 of 9 a1 b1 a3 b2")]
    [InlineData("press a a b; claim 1 of 9 a1; fail a1; line b1 a2")]
    [InlineData("press a b A A; tier a premium; line a1 A1 A2 b1; claim 9 of 9 a1 A1 A2 b1")]
    [InlineData("press A A b; tier A free; line A1 b1 A2; claim 9 of 9 A1 b1 A2")]
    [InlineData("press a a b; later a2; tier a premium; now a2; line a1 a2 b1; claim 9 of 9 a1 a2 b1")]
    public async Task The_queue_is_served_in_its_order(string script)
    {
        await UtcTime.SameDayAsync();
        await using var db = await database.BeginAsync();
        await db.RunAsync("update models set provider_cost = 0.0001, pricing_type = 'per_generation' where id = $1", Guid.Parse(Catalog.FastModel));
        var users = new Dictionary<char, Guid>();
        var jobs = new Dictionary<string, Guid>();
        var step = 0;
        foreach (var words in script.Split("; ").Select(line => line.Split(' ')))
        {
            step++;
            switch (words)
            {
                case ["press", .. var letters]:
                    foreach (var letter in letters.Select(word => word[0]))
                    {
                        if (!users.TryGetValue(letter, out var user))
                        {
                            user = users[letter] = await db.NewUserAsync(1000, char.IsUpper(letter) ? "premium" : "free", char.IsLower(letter));
                        }
                        var job = await db.PressAsync(user);
                        jobs[$"{letter}{jobs.Keys.Count(label => label[0] == letter) + 1}"] = job;
                    }
                    break;
                case ["line", .. var expected]:
                    Assert.Equal(expected, Labels(await db.RowsAsync($"select job_id from ({Places}) p order by place")));
                    Assert.Equal(expected.Length, await db.ValueAsync<int>($"select max(place) + 1 from ({Places}) p"));
                    await RememberedQueue.AssertSameAsync(db);
                    break;
                case ["claim", var limit, "of", var room, .. var expected]:
                    await db.BecomeAsync("reelbase_worker");
                    Assert.Equal(
                        expected,
                        Labels(
                            await db.RowsAsync(
                                $$$"""select job_id from claim_video_jobs('token {{{step}}}', 60, {{{limit}}}, '{"fal": {"concurrency": {{{room}}}, "daily_budget_micros": 10000, "guest_budget_micros": 5000}}')"""
                            )
                        )
                    );
                    await db.BecomeOwnerAsync();
                    break;
                case ["fail", var label]:
                    Assert.True(
                        await db.ValueAsync<bool>(
                            "select fail_video_job(p_job_id => $1, p_leased_by => (select leased_by from video_jobs where job_id = $1), p_error_code => 'ERR_5002', p_error_message => null)",
                            jobs[label]
                        )
                    );
                    break;
                case ["cancel", var label]:
                    Assert.True(await db.ValueAsync<bool>("select fail_video_job($1, null, 'ERR_5002', null)", jobs[label]));
                    break;
                case ["tier", var user, var tier]:
                    await db.RunAsync("update users set tier = $2 where id = $1", users[user[0]], tier);
                    break;
                case ["refuse", .. var labels]:
                    foreach (var label in labels)
                    {
                        await db.RunAsync(
                            "update video_jobs set leased_by = null, lease_until = null, run_after = clock_timestamp() where job_id = $1",
                            jobs[label]
                        );
                    }
                    break;
                case ["expire", var label]:
                    await db.RunAsync(
                        "update video_jobs set run_after = clock_timestamp(), lease_until = clock_timestamp() - interval '1 second' where job_id = $1",
                        jobs[label]
                    );
                    break;
                case ["later" or "now", var label]:
                    await db.RunAsync(
                        "update video_jobs set run_after = clock_timestamp() + $2::interval where job_id = $1",
                        jobs[label],
                        words[0] == "later" ? "1 hour" : "-1 second"
                    );
                    break;
                case ["pause" or "resume"]:
                    await db.RunAsync(
                        "insert into provider_states (provider, paused_until) values ('fal', clock_timestamp() + $1::interval) on conflict (provider) do update set paused_until = excluded.paused_until",
                        words[0] == "pause" ? "1 hour" : "-1 second"
                    );
                    break;
                case ["spend", var micros]:
                    await db.RunAsync(
                        $"insert into provider_spend (provider, day, micros) values ('fal', (clock_timestamp() at time zone 'UTC')::date, {micros}00)"
                    );
                    break;
                default:
                    Assert.Fail($"what is {string.Join(' ', words)}?");
                    break;
            }
        }
        await db.AssertSoundAsync();

        IEnumerable<string> Labels(List<string> ids) => ids.Select(id => jobs.Single(job => job.Value.ToString() == id).Key);
    }

    [Fact]
    public async Task Whoever_asks_for_their_place_is_given_the_lines()
    {
        await using var db = await database.BeginAsync();
        var (ada, ben) = (await db.NewUserAsync(100), await db.NewUserAsync(100, "premium"));
        var jobs = new[] { await db.PressAsync(ada), await db.PressAsync(ada), await db.PressAsync(ben) };
        var places = new List<string>();
        foreach (var (user, job) in new[] { (ada, jobs[0]), (ada, jobs[1]), (ben, jobs[2]) })
        {
            await db.BecomeAsync(user);
            places.AddRange(await db.RowsAsync("select queue_position from get_video_status($1)", job));
        }
        Assert.Equal(["1", "2", "0"], places);
    }
}
