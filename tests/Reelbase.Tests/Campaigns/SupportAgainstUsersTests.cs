using System.Collections.Concurrent;
using Reelbase.Tests.Support;

namespace Reelbase.Tests.Campaigns;

/// <summary>
/// Users, support and Apple act on the same few users, jobs and purchases at the same time, in random order and often wrongly, over HTTP with
/// the workers running. Nobody gets a 5xx, everything comes to an end, and the ledger holds.
/// </summary>
[Campaign]
[Collection(NonParallelCollection.Name)]
public sealed class SupportAgainstUsersTests(SupportAgainstUsersTests.Installation system) : IClassFixture<SupportAgainstUsersTests.Installation>
{
    private static readonly int Steps = Campaign.Share(40, 400);
    private const int Users = 5;
    private const int Supporters = 3;
    private const string Unknown = "com.example.unknown.";

    private static readonly string[] _prompts =
    [
        "A thing",
        "It [fail]",
        "It [fail] [slow 1]",
        "It [slow 1]",
        "It [429]",
        "It [reject]",
        "It [500]",
        "It [twice]",
    ];

    private readonly ConcurrentBag<Guid> _users = [];
    private readonly ConcurrentBag<string> _jobs = [];
    private readonly ConcurrentBag<string> _purchases = [];
    private readonly ConcurrentBag<string> _wrong = [];

    /// <summary>Everything that is limited is open, and whoever is given up is seen.</summary>
    public sealed class Installation : AdminSystem
    {
        protected override Dictionary<string, string?> Settings =>
            new()
            {
                ["Generation:MemberPerWindow"] = "-1",
                ["Generation:PremiumPerWindow"] = "-1",
                ["Generation:SubmissionDeadlineSeconds"] = "15",
                ["Purchases:SandboxCreditsPerDay"] = "400",
            };
    }

    [Fact]
    public async Task Whatever_they_do_to_each_other_nothing_breaks_and_the_ledger_holds()
    {
        await Task.WhenAll(
            Enumerable
                .Range(0, Users)
                .Select(index => UserAsync(new Random(Campaign.Seed + index)))
                .Concat(Enumerable.Range(0, Supporters).Select(index => SupportAsync(new Random(Campaign.Seed + 100 + index))))
                .Append(AppleAsync(new Random(Campaign.Seed + 200)))
                .Append(JudgeWhileAsync())
        );
        await Eventually.IsAsync(() => system.QueryAsync<long>("select count(*) from video_jobs where stage <> 'finished'"), open => open == 0);
        await Eventually.IsAsync(() => system.QueryAsync<long>("select count(*) from webhook_deliveries where status = 'pending'"), open => open == 0);
        await JudgeAsync();
        foreach (var row in await system.RowsAsync("select work, key, last_error from internal.list_dead_work(100)"))
        {
            _wrong.Add("given up: " + row);
        }
        foreach (var row in await system.RowsAsync("select kind, message from alerts where kind in ('dead_work', 'device_grant_dead', 'ledger_mismatch')"))
        {
            _wrong.Add("alert: " + row);
        }
        Assert.True(_wrong.IsEmpty, $"{Campaign.Repeat}\n" + string.Join('\n', _wrong.Distinct().Take(20)));
        await system.AssertLedgerAsync();
    }

    private async Task JudgeWhileAsync()
    {
        for (var round = 0; round < Steps / 4; round++)
        {
            await JudgeAsync();
            await Task.Delay(200);
        }
    }

    private async Task JudgeAsync()
    {
        foreach (
            var row in await system.RowsAsync(
                """
                select 'job ' || j.job_id, j.credits_charged, j.credits_returned, j.status, s.total from video_jobs j
                cross join lateral (select coalesce(sum(q.change), 0) as total from quota_log q where q.job_id = j.job_id) s
                where s.total > 0 or s.total < -j.credits_charged or s.total <> j.credits_returned - j.credits_charged
                  or (j.status = 'failed' and s.total <> 0) or (j.paid_by_house and s.total <> 0)
                union all select 'user ' || user_id, null, null, problem, null from check_ledger()
                union all select 'merged ' || id, credits_remaining, null, null, null from users where merged_into is not null and credits_remaining <> 0
                union all select 'purchase ' || transaction_id, credits, credits_taken_back, null, revoked_percentage from purchases
                where credited_at is not null and credits_taken_back <> credits::bigint * revoked_percentage / 100000
                union all select 'tier ' || u.id, null, null, tier, null from users u
                where u.deleted_at is null and u.merged_into is null and (tier = 'premium') <> (premium_granted_by is not null or internal.purchased_tier(u.id) = 'premium')
                """
            )
        )
        {
            _wrong.Add(row);
        }
    }

    private async Task UserAsync(Random random)
    {
        var phone = await NewPhoneAsync(random);
        for (var step = 0; step < Steps; step++)
        {
            var answer = random.Next(20) switch
            {
                < 6 => await PressAsync(phone, random),
                < 9 => await phone.PostAsync("/delete-video-job", new { job_id = Pick(_jobs, random) ?? "none" }),
                9 => await phone.GetAsync("/get-video-jobs"),
                10 => await phone.GetAsync("/get-credit-history"),
                11 or 12 => await phone.PostAsync(
                    "/merge-guest-user",
                    new { id_token = (await system.PretendApple.SignInAsync($"subject {Campaign.Seed} {random.Next(3)}")).Token }
                ),
                13 or 14 => await phone.PostAsync("/update-credits", new { signed_transaction = await BuyAsync(random, false) }),
                15 or 16 => await phone.PostAsync("/update-credits", new { transaction_id = Pick(_purchases, random) ?? "1" }),
                17 => await Phone.CheckAsync(system.Url, phone.DeviceId, Phone.TokenOf(phone.DeviceId)),
                18 => await phone.GetAsync("/get-video-status?job_id=" + Pick(_jobs, random)),
                _ => random.Next(3) == 0 ? await phone.PostTextAsync("/delete-account", "{}") : await phone.GetAsync("/get-user-profile"),
            };
            Check(answer);
            if (answer.Code == "ERR_4005")
            {
                phone = await NewPhoneAsync(random);
            }
        }
    }

    private async Task<Phone> NewPhoneAsync(Random random)
    {
        var phone = await system.NewGuestAsync(random.Next(10, 80));
        _users.Add(phone.UserId);
        return phone;
    }

    private async Task<ApiResponse> PressAsync(Phone phone, Random random)
    {
        var answer = await phone.GenerateAsync(_prompts[random.Next(_prompts.Length)]);
        if ((int)answer.Status == 200)
        {
            _jobs.Add(answer["job_id"].GetString()!);
        }
        return answer;
    }

    private async Task SupportAsync(Random random)
    {
        for (var step = 0; step < Steps * 2; step++)
        {
            var user = Pick(_users, random) is { } id && id != Guid.Empty ? id : Guid.NewGuid();
            var job = Pick(_jobs, random) ?? Guid.NewGuid().ToString();
            const string reason = "asked for by chance";
            var answer = random.Next(22) switch
            {
                < 4 => await system.PostAsync(
                    "/admin-refund-credits",
                    new
                    {
                        user_id = await OwnerAsync(job),
                        job_id = job,
                        amount = random.Next(1, 9),
                        reason,
                    },
                    Guid.NewGuid()
                ),
                4 or 5 => await system.PostAsync(
                    "/admin-refund-credits",
                    new
                    {
                        user_id = user,
                        job_id = Odd(job, random),
                        amount = random.Next(1, 9),
                        reason,
                    },
                    Guid.NewGuid()
                ),
                < 9 => await RetryAsync(job, reason),
                < 12 => await system.PostAsync("/admin-cancel-job", new { job_id = job, reason }),
                12 => await system.PostAsync(
                    "/admin-adjust-credits",
                    new
                    {
                        user_id = user,
                        amount = random.Next(-20, 20),
                        reason,
                    },
                    Guid.NewGuid()
                ),
                13 => await system.PostAsync(
                    "/admin-set-tier",
                    new
                    {
                        user_id = user,
                        tier = random.Next(2) == 0 ? "free" : "premium",
                        reason,
                    }
                ),
                < 16 => await system.PostAsync(
                    "/admin-assign-purchase",
                    new
                    {
                        transaction_id = Pick(_purchases, random) ?? "1",
                        user_id = user,
                        reason,
                    }
                ),
                16 => await system.PostAsync(
                    "/admin-save-product",
                    new
                    {
                        product_id = Unknown + random.Next(30),
                        credits = random.Next(1, 50),
                        grants_tier = random.Next(2) == 0 ? null : "premium",
                        is_active = false,
                        reason,
                    }
                ),
                17 => await system.PostAsync(
                    "/admin-resend-delivery",
                    new
                    {
                        delivery_id = await system.QueryAsync<long>("select coalesce((select id from webhook_deliveries order by random() limit 1), 1)"),
                        reason,
                    }
                ),
                18 => await system.GetAsync("/admin-get-job?job_id=" + job),
                19 => await system.GetAsync("/admin-get-user?user_id=" + user),
                20 => await system.PostAsync(random.Next(3) == 0 ? "/admin-ban-user" : "/admin-unban-user", new { user_id = user, reason }),
                _ => await system.GetAsync("/admin-list-ledger?user_id=" + user),
            };
            Check(answer);
        }
    }

    private async Task<ApiResponse> RetryAsync(string job, string reason)
    {
        var key = Guid.NewGuid();
        var answers = await Task.WhenAll(
            system.PostAsync("/admin-retry-job", new { job_id = job, reason }, key),
            system.PostAsync("/admin-retry-job", new { job_id = job, reason }, key)
        );
        if (answers.All(answer => (int)answer.Status == 200))
        {
            Assert.Equal(answers[0].Text, answers[1].Text);
            _jobs.Add(answers[0]["job_id"].GetString()!);
        }
        return answers.MaxBy(answer => (int)answer.Status)!;
    }

    private static object? Odd(string job, Random random) =>
        random.Next(8) switch
        {
            0 => job.ToUpperInvariant(),
            1 => $"{{{job}}}",
            2 => new[] { job },
            3 => 7,
            4 => " " + job,
            5 => true,
            _ => job,
        };

    private Task<Guid> OwnerAsync(string job) =>
        system.QueryAsync<Guid>($"select coalesce((select user_id from video_jobs where job_id = '{job}'), gen_random_uuid())");

    private async Task AppleAsync(Random random)
    {
        for (var step = 0; step < Steps * 2; step++)
        {
            if (Pick(_purchases, random) is not { } id || random.Next(4) == 0)
            {
                await BuyAsync(random, random.Next(2) == 0);
            }
            else if (random.Next(12) == 0)
            {
                var type = random.Next(2) == 0 ? "account-deleted" : "consent-revoked";
                await system.PretendApple.AccountEventAsync(type, $"subject {Campaign.Seed} {random.Next(3)}");
            }
            else
            {
                await (random.Next(3) == 0 ? system.PretendApple.ReverseRefundAsync(id) : system.PretendApple.RefundAsync(id, random.Next(1, 101)));
            }
            await Task.Delay(random.Next(100));
        }
    }

    private async Task<string> BuyAsync(Random random, bool notify)
    {
        string[] products = [Apple.Pack25, Apple.Pack60, Unknown + random.Next(30)];
        var user = Pick(_users, random);
        var (id, signed) = await system.PretendApple.BuyAsync(
            products[random.Next(products.Length)],
            random.Next(4) switch
            {
                0 => null,
                1 => Guid.NewGuid(),
                _ => user,
            },
            random.Next(1, 4),
            random.Next(3) == 0 ? "Sandbox" : "Production",
            notify
        );
        _purchases.Add(id);
        return signed;
    }

    private void Check(ApiResponse answer)
    {
        if ((int)answer.Status >= 500)
        {
            _wrong.Add($"{answer.Raw.RequestMessage!.RequestUri!.PathAndQuery}: {(int)answer.Status} {answer.Text}");
        }
    }

    private static T? Pick<T>(ConcurrentBag<T> from, Random random)
    {
        var all = from.ToArray();
        return all.Length == 0 ? default : all[random.Next(all.Length)];
    }
}
