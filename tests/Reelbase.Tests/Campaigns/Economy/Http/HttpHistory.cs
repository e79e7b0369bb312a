using System.Globalization;
using System.Net;
using Reelbase.Tests.Support;

namespace Reelbase.Tests.Campaigns.Economy.Http;

/// <summary>
/// One history through HTTP: two phones press, repeat, buy, sign in and leave, support acts on their jobs at the same time as the workers, pretend providers and
/// Apple do what the test says; when all has come to rest the database says what the model says.
/// </summary>
public sealed class HttpHistory(AdminSystem system, int seed)
{
    private const double PatienceSeconds = 120;
    private static readonly string[] Directives = ["", "", "", "[reject]", "[fail]", "[garbage]", "[twice]", "[forged]", "[foreign]", "[500]", "[no-webhook]"];

    private readonly Random _random = new(seed);
    private readonly Apple _apple = new(system.Control);
    private readonly List<string> _script = [];
    private readonly List<Phone> _phones = [];
    private readonly Dictionary<Phone, HttpAccount> _accounts = [];

    /// <summary>Null, or what went wrong with the script that led to it.</summary>
    public async Task<string?> PlayAsync()
    {
        try
        {
            for (var number = 0; number < 2; number++)
            {
                var phone = await system.NewGuestAsync();
                _phones.Add(phone);
                _accounts[phone] = new(phone, 10);
            }
            for (var steps = _random.Next(6, 15); steps > 0; steps--)
            {
                await StepAsync(_phones[_random.Next(_phones.Count)]);
            }
            foreach (var account in _accounts.Values.Distinct())
            {
                await RestAsync(account);
            }
            return null;
        }
        catch (Exception error) when (error is EconomyException or Xunit.Sdk.XunitException or HttpRequestException or TaskCanceledException)
        {
            return $"seed {seed}\n  {string.Join("\n  ", _script)}\n  => {error.Message}";
        }
        finally
        {
            _phones.ForEach(phone => phone.Http.Dispose());
        }
    }

    private Task StepAsync(Phone phone)
    {
        var account = _accounts[phone];
        var job = account.Jobs.Count == 0 ? null : account.Jobs[_random.Next(account.Jobs.Count)];
        return _random.Next(20) switch
        {
            < 7 => PressAsync(phone, account),
            7 or 8 when job is not null => DeleteAsync(phone, account, job),
            9 or 10 when job is not null => RefundAsync(account, job),
            11 when job is not null => CancelAsync(job),
            12 when job is not null => RetryAsync(account, job),
            13 => AdjustAsync(account),
            14 or 15 => BuyAsync(phone, account),
            16 or 17 when account.Sales.Count > 0 => AppleRefundsAsync(account.Sales[_random.Next(account.Sales.Count)]),
            18 => SignInAsync(phone, account),
            19 when _random.Next(4) == 0 => LeaveAsync(phone, account),
            _ => SetTierAsync(account),
        };
    }

    private async Task PressAsync(Phone phone, HttpAccount account)
    {
        var directive = Directives[_random.Next(Directives.Length)];
        var seconds = 4 + 2 * _random.Next(3);
        var key = Guid.NewGuid();
        Say($"{Name(phone)} presses for {seconds} credits {directive}");
        Task<ApiResponse> SendAsync() => phone.GenerateAsync($"History {seed} {_script.Count} {directive}", key, new { duration = seconds });
        // Twice at once under one key is once.
        Task<ApiResponse>[] sent = _random.Next(4) == 0 ? [SendAsync(), SendAsync()] : [SendAsync()];
        var answers = await Task.WhenAll(sent);
        foreach (var answer in answers)
        {
            Play.Expect(
                answer.Status == (account.IsDeleted ? HttpStatusCode.Unauthorized : answer.Status) && (int)answer.Status is 200 or 401 or 402,
                $"a press was answered {answer.Status}: {answer.Text}"
            );
        }
        // Of two at once one may be refused for want of credits, and the other accepted because a failed job's came back between them.
        var accepted = answers.Where(answer => answer.Status == HttpStatusCode.OK).ToList();
        if (accepted.Count > 0)
        {
            Play.Expect(accepted.All(answer => answer.Text == accepted[0].Text), "one key gave two answers");
            account.Jobs.Add(new(accepted[0]["job_id"].GetGuid(), seconds, directive));
        }
    }

    private async Task DeleteAsync(Phone phone, HttpAccount account, HttpJob job)
    {
        Say($"{Name(phone)} deletes {Short(job)}");
        job.IsDisturbed = true;
        var answer = await phone.PostAsync("/delete-video-job", new { job_id = job.Id });
        Play.Expect(answer.Status == (account.IsDeleted ? HttpStatusCode.Unauthorized : HttpStatusCode.OK), $"answered {answer.Text}");
    }

    private async Task RefundAsync(HttpAccount account, HttpJob job)
    {
        var amount = _random.Next(3) == 0 ? _random.Next(1, 9) : Math.Max(1, job.Charged);
        Say($"support refunds {amount} for {Short(job)}");
        var key = Guid.NewGuid();
        var body = new
        {
            user_id = account.Phone.UserId,
            amount,
            job_id = job.Id,
            reason = "by the model",
        };
        var answer = await system.PostAsync("/admin-refund-credits", body, key);
        if (answer.Status == HttpStatusCode.OK)
        {
            job.Refunded += amount;
            Play.Expect(job.Refunded <= job.Charged, $"{Short(job)} gave {job.Refunded} of {job.Charged} back");
            Play.Expect((await system.PostAsync("/admin-refund-credits", body, key)).Text == answer.Text, "the repeated refund answered something else");
        }
        else
        {
            Play.Expect(answer.Code is "ERR_4012" || (account.IsDeleted && answer.Code == "ERR_4007"), $"a refund was answered {answer.Text}");
        }
    }

    private async Task CancelAsync(HttpJob job)
    {
        Say($"support cancels {Short(job)}");
        job.IsDisturbed = true;
        var answer = await system.PostAsync("/admin-cancel-job", new { job_id = job.Id, reason = "by the model" });
        Play.Expect(answer.Status == HttpStatusCode.OK || answer.Code == "ERR_4012", $"a cancellation was answered {answer.Text}");
    }

    private async Task RetryAsync(HttpAccount account, HttpJob job)
    {
        Say($"support retries {Short(job)}");
        var answer = await system.PostAsync("/admin-retry-job", new { job_id = job.Id, reason = "by the model" }, Guid.NewGuid());
        if (answer.Status == HttpStatusCode.OK)
        {
            account.Jobs.Add(new(answer["job_id"].GetGuid(), 0, job.Directive));
        }
        else
        {
            Play.Expect(answer.Code is "ERR_4012" or "ERR_4007", $"a retry was answered {answer.Text}");
        }
    }

    private async Task AdjustAsync(HttpAccount account)
    {
        var amount = _random.Next(2) == 0 ? _random.Next(1, 20) : -_random.Next(1, 5);
        Say($"support adjusts {Name(account.Phone)} by {amount}");
        var answer = await system.PostAsync(
            "/admin-adjust-credits",
            new
            {
                user_id = account.Phone.UserId,
                amount,
                reason = "by the model",
            },
            Guid.NewGuid()
        );
        if (answer.Status == HttpStatusCode.OK)
        {
            account.Credits += amount;
        }
        else
        {
            Play.Expect(answer.Code is "ERR_4012" or "ERR_4007", $"an adjustment was answered {answer.Text}");
        }
    }

    private async Task BuyAsync(Phone phone, HttpAccount account)
    {
        if (account.IsDeleted)
        {
            return;
        }
        var isNotified = _random.Next(2) == 0;
        Say($"{Name(phone)} buys 25 credits, reported by {(isNotified ? "Apple" : "the app")}");
        var (id, signed) = await _apple.BuyAsync(Apple.Pack25, phone.UserId, notify: isNotified);
        var sale = new HttpSale(id, 25) { IsHeard = isNotified };
        account.Sales.Add(sale);
        if (!isNotified || _random.Next(3) == 0)
        {
            var answer = await phone.PostAsync("/update-credits", new { signed_transaction = signed });
            Play.Expect(answer.Status == HttpStatusCode.OK, $"a purchase was answered {answer.Text}");
            sale.IsHeard = true;
        }
    }

    private async Task AppleRefundsAsync(HttpSale sale)
    {
        if (sale.Percent == 100)
        {
            Say($"Apple reverses the refund of {sale.Id}");
            await _apple.ReverseRefundAsync(sale.Id);
            sale.Percent = 0;
        }
        else
        {
            sale.Percent = 100;
            Say($"Apple refunds {sale.Id}");
            await _apple.RefundAsync(sale.Id, sale.Percent);
        }
    }

    private async Task SignInAsync(Phone phone, HttpAccount account)
    {
        if (account.IsDeleted || account.AppleSubject is not null)
        {
            return;
        }
        var subject = $"history-{seed.ToString(CultureInfo.InvariantCulture)}";
        Say($"{Name(phone)} signs in with Apple");
        var answer = await phone.PostAsync("/merge-guest-user", new { id_token = (await _apple.SignInAsync(subject)).Token });
        Play.Expect(answer.Status == HttpStatusCode.OK, $"signing in was answered {answer.Text}");
        var member = _accounts.Values.FirstOrDefault(other => other.AppleSubject == subject && !other.IsDeleted);
        if (member is null)
        {
            account.AppleSubject = subject;
            return;
        }
        member.Take(account);
        _accounts[phone] = member;
    }

    private async Task LeaveAsync(Phone phone, HttpAccount account)
    {
        Say($"{Name(phone)} deletes the account");
        account.Jobs.ForEach(job => job.IsDisturbed = true);
        if (account.Sales.Count > 0)
        {
            // A purchase that is heard of after its buyer has left is nobody's; here it is heard of before.
            var ids = string.Join(", ", account.Sales.Select(sale => $"'{sale.Id}'"));
            await Eventually.IsAsync(
                () =>
                    system.QueryAsync<long>(
                        $"select count(*) from purchases where transaction_id in ({ids}) and (credited_at is not null or revoked_percentage = 100000)"
                    ),
                known => known == account.Sales.Count(sale => sale.IsHeard),
                PatienceSeconds
            );
        }
        var answer = await phone.PostAsync("/delete-account", new { });
        // Twice is once.
        Play.Expect(answer.Status == HttpStatusCode.OK, $"deletion was answered {answer.Text}");
        account.IsDeleted = true;
    }

    private async Task SetTierAsync(HttpAccount account)
    {
        var isPremium = _random.Next(2) == 0;
        Say($"support makes {Name(account.Phone)} {(isPremium ? "premium" : "free")}");
        var answer = await system.PostAsync(
            "/admin-set-tier",
            new
            {
                user_id = account.Phone.UserId,
                tier = isPremium ? "premium" : "free",
                reason = "by the model",
            }
        );
        Play.Expect(answer.Status == HttpStatusCode.OK || (account.IsDeleted && answer.Code == "ERR_4007"), $"a tier was answered {answer.Text}");
        account.IsPremium = answer.Status == HttpStatusCode.OK ? isPremium : account.IsPremium;
    }

    /// <summary>Waits until the account's work is done, and compares.</summary>
    private async Task RestAsync(HttpAccount account)
    {
        var ids = account.Jobs.Count == 0 ? "null::uuid" : string.Join(", ", account.Jobs.Select(job => $"'{job.Id}'"));
        await Eventually.IsAsync(
            () => system.QueryAsync<long>($"select count(*) from video_jobs where job_id in ({ids}) and stage <> 'finished'"),
            open => open == 0,
            PatienceSeconds
        );
        var rows = (
            await system.RowsAsync(
                $"""
                select j.job_id, j.status, j.credits_charged, j.credits_returned,
                  (select coalesce(sum(q.change), 0) from quota_log q where q.job_id = j.job_id) from video_jobs j where j.job_id in ({ids})
                """
            )
        ).Select(row => row.Split('|')).ToDictionary(row => Guid.Parse(row[0]));
        var expected = account.Credits + account.Sales.Sum(sale => sale.Kept);
        foreach (var job in account.Jobs)
        {
            var row = rows[job.Id];
            Play.Expect(job.IsDisturbed || row[1] == job.RightEnd, $"{Short(job)} is {row[1]} where {job.RightEnd} is right");
            var returned = row[1] == "failed" ? job.Charged : job.Refunded;
            Play.Expect(
                row[2..] is [var charged, var back, var sum] && (charged, back, sum) == (Text(job.Charged), Text(returned), Text(returned - job.Charged)),
                $"{Short(job)} ({row[1]}) took {row[2]}, gave {row[3]} back and its ledger says {row[4]}, where {job.Charged} and {returned} are right"
            );
            expected += returned - job.Charged;
        }
        // What Apple said may still be on its way.
        var id = account.Phone.UserId;
        var right = $"{expected}|{(account is { IsPremium: true, IsDeleted: false } ? "premium" : "free")}|{expected}";
        Say($"{Name(account.Phone)} should come to {right} (balance, tier, ledger)");
        await Eventually.IsAsync(
            async () =>
                (
                    await system.RowsAsync(
                        $"select credits_remaining, tier, (select coalesce(sum(change), 0) from quota_log where user_id = u.id) from users u where id = '{id}'"
                    )
                )[0],
            found => found == right,
            PatienceSeconds
        );
    }

    private void Say(string line) => _script.Add($"{_script.Count + 1, 2}. {line}");

    private string Name(Phone phone) => "phone " + (char)('A' + _phones.IndexOf(phone));

    private static string Short(HttpJob job) => $"{job.Id.ToString()[..13]} {job.Directive}".Trim();

    private static string Text(int number) => number.ToString(CultureInfo.InvariantCulture);
}
