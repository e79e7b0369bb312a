using Reelbase.Tests.Support;

namespace Reelbase.Tests.Features;

/// <summary>Two places at the provider and many who wait: who is next, and that nobody waits for ever.</summary>
public sealed class QueuePositionTests : IAsyncLifetime
{
    private const int Users = 40;
    private const double VideoSeconds = 0.05;
    private readonly Narrow _system = new();

    public ValueTask InitializeAsync() => _system.InitializeAsync();

    public ValueTask DisposeAsync() => _system.DisposeAsync();

    /// <summary>A provider with two places.</summary>
    public sealed class Narrow : TestSystem
    {
        protected override Dictionary<string, string?> Settings => new() { ["Fal:Concurrency"] = "2", ["Generation:SubmissionDeadlineSeconds"] = "60" };

        protected override double VideoSeconds => QueuePositionTests.VideoSeconds;

        /// <summary>The queue stands still, or moves again.</summary>
        public Task HoldAsync(bool isHeld) =>
            ExecuteAsync(
                $"insert into provider_states (provider) values ('fal') on conflict do nothing; update provider_states set paused_until = {(isHeld ? "'infinity'" : "null")}, turns = {(isHeld ? "0" : "turns")} where provider = 'fal'"
            );

        public async Task<Phone> NewUserAsync(bool isPremium)
        {
            var phone = await NewGuestAsync(1000);
            if (isPremium)
            {
                await ExecuteAsync($"update users set tier = 'premium' where id = '{phone.UserId}'");
            }
            return phone;
        }

        /// <summary>Jobs in the order in which they were handed over.</summary>
        public Task<List<string>> ServedAsync(IEnumerable<string> jobs) =>
            RowsAsync($"select job_id from job_submissions where job_id in ({string.Join(',', jobs.Select(job => $"'{job}'"))}) order by id");
    }

    [Fact]
    public async Task Forty_users_of_both_tiers_are_served_in_the_documented_order()
    {
        await _system.HoldAsync(true);
        var premium = new List<Phone>();
        var standard = new List<Phone>();
        for (var user = 0; user < Users; user++)
        {
            (user % 2 == 0 ? premium : standard).Add(await _system.NewUserAsync(user % 2 == 0));
        }
        // Everybody presses twice, one after the other: a user's second job comes after every first one of their tier.
        async Task<List<string>> PressAsync(List<Phone> users)
        {
            var jobs = new List<string>();
            for (var round = 0; round < 2; round++)
            {
                foreach (var user in users)
                {
                    jobs.Add((await user.GenerateAsync("A place in the queue"))["job_id"].GetString()!);
                }
            }
            return jobs;
        }
        var premiumJobs = new Queue<string>(await PressAsync(premium));
        var standardJobs = new Queue<string>(await PressAsync(standard));
        var owners = premium.Concat(standard).ToDictionary(phone => phone.UserId.ToString());
        var expected = new List<string>();
        for (var place = 0; premiumJobs.Count + standardJobs.Count > 0; place++)
        {
            var isForPremium = place % 4 < 3;
            expected.Add((isForPremium && premiumJobs.Count > 0) || standardJobs.Count == 0 ? premiumJobs.Dequeue() : standardJobs.Dequeue());
        }

        // The status answer gives everybody their position.
        var places = await _system.RowsAsync("select job_id, user_id from video_jobs where stage = 'queued'");
        Assert.Equal(2 * Users, places.Count);
        foreach (var place in places.Select(row => row.Split('|')))
        {
            var status = await owners[place[1]].GetAsync($"/get-video-status?job_id={place[0]}");
            Assert.Equal(expected.IndexOf(place[0]), status["queue_position"].GetInt32());
            Assert.Equal("pending", status["status"].GetString());
        }

        await _system.HoldAsync(false);
        await Eventually.IsAsync(() => _system.ServedAsync(expected), served => served.Count == expected.Count);
        // The order of taking is written down with each job, so it can be compared exactly.
        Assert.Equal(expected, await TakenAsync(expected));
        Assert.Equal(2, await MostAtOnceAsync());
        await Eventually.IsAsync(() => _system.RowsAsync("select count(*) from video_jobs where stage <> 'finished'"), left => left is ["0"]);
        await _system.AssertLedgerAsync();
    }

    [Fact]
    public async Task Positions_in_a_long_queue_come_from_the_memory_of_the_node_and_are_those_that_PostgreSQL_computes()
    {
        await _system.HoldAsync(true);
        var (premium, guest) = (await _system.NewUserAsync(true), await _system.NewUserAsync(false));
        var jobs = new List<(Phone Owner, string Job)>();
        // Their jobs stand among six hundred of others, who need no phone.
        for (var part = 0; part < 3; part++)
        {
            await _system.ExecuteAsync(
                $"""
                with u as (insert into users (is_guest, tier) select true, case when n % 4 = 0 then 'premium' else 'free' end from generate_series(1, 200) n returning id)
                insert into video_jobs (user_id, job_id, model_id, provider) select u.id, internal.uuid_v7(), '{Catalog.FastModel}', 'fal' from u
                """
            );
            foreach (var phone in (Phone[])[premium, guest])
            {
                jobs.Add((phone, (await phone.GenerateAsync("A place in the queue"))["job_id"].GetString()!));
            }
        }
        var computed = new List<int>();
        foreach (var (_, job) in jobs)
        {
            computed.Add(await _system.QueryAsync<int>($"select internal.queue_position('{job}')"));
        }
        Assert.Equal(jobs.Count, computed.Distinct().Count());

        // From here on PostgreSQL knows no position: the right one can only come from memory.
        await _system.ExecuteAsync("create or replace function internal.queue_position(p_job_id uuid) returns integer language sql stable as 'select -1'");
        await Eventually.IsAsync(PositionsAsync, positions => positions.SequenceEqual(computed));

        async Task<List<int>> PositionsAsync()
        {
            var positions = new List<int>();
            foreach (var (owner, job) in jobs)
            {
                positions.Add((await owner.GetAsync($"/get-video-status?job_id={job}"))["queue_position"].GetInt32());
            }
            return positions;
        }
    }

    [Fact]
    public async Task Places_of_those_who_watch_come_from_the_queue_as_a_whole_and_not_from_a_question_for_each()
    {
        await _system.HoldAsync(true);
        var ahead = await _system.NewUserAsync(false);
        var first = (await ahead.GenerateAsync("A place in the queue"))["job_id"].GetString()!;
        var (phone, job) = (await _system.NewUserAsync(false), "");
        job = (await phone.GenerateAsync("A place in the queue"))["job_id"].GetString()!;
        using var request = new HttpRequestMessage(HttpMethod.Get, $"/get-video-status?job_id={job}");
        request.Headers.Accept.ParseAdd("text/event-stream");
        using var response = await phone.Http.SendAsync(request, HttpCompletionOption.ResponseHeadersRead);
        using var reader = new StreamReader(await response.Content.ReadAsStreamAsync());
        await Phone.ReadUntilAsync(reader, "\"queue_position\":1,");
        // From here on asking for the place of one job says what is not so.
        await _system.ExecuteAsync(
            "create or replace function list_live_places(p_jobs uuid[]) returns table (job_id uuid, place integer) language sql stable as 'select unnest(p_jobs), 777'"
        );
        await ahead.PostAsync("/delete-video-job", new { job_id = first });
        using var limit = Patience.Limit();
        string? line;
        do
        {
            line = await reader.ReadLineAsync(limit.Token);
            Assert.NotNull(line);
            Assert.DoesNotContain("\"queue_position\":777,", line, StringComparison.Ordinal);
        } while (!line.Contains("\"queue_position\":0,", StringComparison.Ordinal));
    }

    [Fact]
    public async Task A_guest_is_among_the_next_four_served_however_many_premium_jobs_keep_coming()
    {
        await _system.HoldAsync(true);
        var eager = new List<Phone>();
        for (var user = 0; user < 5; user++)
        {
            eager.Add(await _system.NewUserAsync(true));
        }
        var ahead = new List<string>();
        for (var number = 0; number < 20; number++)
        {
            ahead.Add((await eager[number % 5].GenerateAsync("A place in the queue"))["job_id"].GetString()!);
        }
        var guest = await _system.NewUserAsync(false);
        var late = (await guest.GenerateAsync("A place in the queue"))["job_id"].GetString()!;
        Assert.Equal(3, (await guest.GetAsync($"/get-video-status?job_id={late}"))["queue_position"].GetInt32());
        await _system.HoldAsync(false);
        using var over = new CancellationTokenSource();
        var flood = Task.Run(async () =>
        {
            for (var number = 0; number < 200 && !over.IsCancellationRequested; number++)
            {
                await eager[number % 5].GenerateAsync("A place in the queue");
            }
        });
        await guest.WatchAsync(late);
        await over.CancelAsync();
        await flood;
        var before = await _system.RowsAsync(
            $"select count(*) from video_jobs where served_turn < (select served_turn from video_jobs where job_id = '{late}') and user_id in ({string.Join(',', eager.Select(user => $"'{user.UserId}'"))})"
        );
        Assert.InRange(int.Parse(before[0], System.Globalization.CultureInfo.InvariantCulture), 0, 4);
    }

    [Fact]
    public async Task One_user_with_fifty_jobs_does_not_hold_up_another_with_one()
    {
        await _system.HoldAsync(true);
        var (greedy, modest) = (await _system.NewUserAsync(false), await _system.NewUserAsync(false));
        var jobs = new List<string>();
        for (var number = 0; number < 50; number++)
        {
            jobs.Add((await greedy.GenerateAsync("A place in the queue"))["job_id"].GetString()!);
        }
        jobs.Add((await modest.GenerateAsync("A place in the queue"))["job_id"].GetString()!);
        Assert.Equal(1, (await modest.GetAsync($"/get-video-status?job_id={jobs[^1]}"))["queue_position"].GetInt32());
        await _system.HoldAsync(false);
        await modest.WatchAsync(jobs[^1]);
        Assert.InRange((await TakenAsync(jobs)).IndexOf(jobs[^1]), 0, 2);
    }

    [Fact]
    public async Task Whoever_holds_the_row_of_the_next_job_holds_up_nobody_else()
    {
        await _system.HoldAsync(true);
        var (first, second) = (await _system.NewUserAsync(false), await _system.NewUserAsync(false));
        var held = (await first.GenerateAsync("A place in the queue"))["job_id"].GetString()!;
        var next = new List<string>();
        for (var number = 0; number < 3; number++)
        {
            next.Add((await second.GenerateAsync("A place in the queue"))["job_id"].GetString()!);
        }
        await using (var connection = new Npgsql.NpgsqlConnection(_system.Owner))
        {
            await connection.OpenAsync();
            await using var transaction = await connection.BeginTransactionAsync();
            await using (var command = new Npgsql.NpgsqlCommand($"select from video_jobs where job_id = '{held}' for update", connection, transaction))
            {
                await command.ExecuteNonQueryAsync();
            }
            await _system.HoldAsync(false);
            foreach (var job in next)
            {
                await second.WatchAsync(job);
            }
            Assert.Empty(await TakenAsync([held]));
        }
        await first.WatchAsync(held);
    }

    /// <summary>Those of the jobs that were taken, in the order of that; what is done with them then goes on side by side.</summary>
    private Task<List<string>> TakenAsync(IEnumerable<string> jobs) =>
        _system.RowsAsync(
            $"select job_id from video_jobs where job_id in ({string.Join(',', jobs.Select(job => $"'{job}'"))}) and served_turn is not null order by served_turn"
        );

    /// <summary>How many jobs were ever at the provider at once.</summary>
    private async Task<int> MostAtOnceAsync()
    {
        var answer = await _system.Control.GetFromJsonAsync<System.Text.Json.JsonElement>("/_control/fal/requests");
        var starts = answer.GetProperty("requests").EnumerateArray().Select(request => request.GetProperty("submitted_at").GetDateTime()).ToList();
        return starts.Max(start => starts.Count(other => other <= start && start < other.AddSeconds(VideoSeconds)));
    }
}
