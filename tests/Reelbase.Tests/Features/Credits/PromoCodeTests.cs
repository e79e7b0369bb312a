using System.Net;
using Reelbase.Tests.Support;

namespace Reelbase.Tests.Features;

/// <summary>A code gives its credits once for each account, device and Apple subject, and no more often than its cap, whatever happens at once.</summary>
public sealed class PromoCodeTests(PromoCodeTests.Installation system) : IClassFixture<PromoCodeTests.Installation>
{
    /// <summary>A system with admins; everybody in it has one address, so that only the test of guesses has a limit by it.</summary>
    public sealed class Installation : AdminSystem
    {
        protected override Dictionary<string, string?> Settings =>
            new(base.Settings) { ["PromoCodes:MissesPerWindow"] = "3", ["PromoCodes:MissesPerAddressPerWindow"] = "-1" };
    }

    private static Task<ApiResponse> RedeemAsync(Phone phone, string code, Guid? key = null) => phone.PostAsync("/redeem-promo-code", new { code }, key);

    private static string NewCode() => "T" + Guid.NewGuid().ToString("N")[..20].ToUpperInvariant();

    private static void AssertRefused(ApiResponse answer, HttpStatusCode status, string code, string? reason = null)
    {
        Assert.True((status, code) == (answer.Status, answer.Code), answer.Text);
        if (reason is not null)
        {
            Assert.Equal(reason, answer["error"].GetProperty("details").GetProperty("reason").GetString());
        }
    }

    private async Task SignInAsync(Phone phone, string subject)
    {
        var (token, _) = await system.PretendApple.SignInAsync(subject);
        var answer = await phone.PostAsync("/merge-guest-user", new { id_token = token });
        Assert.True(answer.Status == HttpStatusCode.OK, answer.Text);
    }

    private Task<int> BalanceAsync(Phone phone) =>
        system.QueryAsync<int>($"select credits_remaining from users where id = internal.account_of('{phone.UserId}')");

    [Fact]
    public async Task A_code_gives_its_credits_once_and_a_repeated_key_gets_the_same_answer()
    {
        var (phone, code, other) = (await system.NewGuestAsync(), NewCode(), NewCode());
        await system.NewPromoCodeAsync(code, 15, 100);
        await system.NewPromoCodeAsync(other, 1, 100);
        var key = Guid.NewGuid();
        var written = $" {code[..4].ToLowerInvariant()}-{code[4..]} ";
        var first = await RedeemAsync(phone, written, key);
        Assert.Equal("""{"success":true,"credits_added":15,"credits_remaining":25}""", first.Text);
        var again = await RedeemAsync(phone, code, key);
        Assert.Equal(first.Text, again.Text);
        Assert.Equal(["true"], again.Raw.Headers.GetValues("X-Idempotent-Replay"));
        AssertRefused(await RedeemAsync(phone, other, key), HttpStatusCode.UnprocessableEntity, "ERR_4009");
        AssertRefused(await RedeemAsync(phone, code), HttpStatusCode.Conflict, "ERR_4012", "already_redeemed");
        AssertRefused(await phone.PostTextAsync("/redeem-promo-code", $$"""{"code":"{{other}}"}""", "no uuid"), HttpStatusCode.BadRequest, "ERR_4008");
        Assert.Equal(
            ["15|promo_code|25", "10|initial_grant|10"],
            await system.RowsAsync($"select change, reason, balance_after from quota_log where user_id = '{phone.UserId}' order by seq desc")
        );
        var credits = await phone.GetAsync("/get-user-credits");
        Assert.Equal((25, 25), (credits["credits_remaining"].GetInt32(), credits["credits_total"].GetInt32()));
        await system.AssertLedgerAsync();
    }

    [Fact]
    public async Task A_guest_whose_device_grant_was_not_accepted_redeems_nothing_until_they_are_a_member()
    {
        var (phone, code) = (await system.NewGuestAsync(), NewCode());
        await system.NewPromoCodeAsync(code, 5, 10);
        var same = await Phone.OnboardAsync(system.Url, Guid.NewGuid().ToString(), phone.DeviceId);
        AssertRefused(await RedeemAsync(same, code), HttpStatusCode.Forbidden, "ERR_4010", "device_not_accepted");
        await SignInAsync(same, "promo member " + same.UserId);
        Assert.Equal(HttpStatusCode.OK, (await RedeemAsync(same, code)).Status);
    }

    [Fact]
    public async Task An_account_that_was_deleted_and_created_anew_on_the_same_device_redeems_nothing()
    {
        var (phone, code) = (await system.NewGuestAsync(), NewCode());
        await system.NewPromoCodeAsync(code, 5, 10);
        Assert.Equal(HttpStatusCode.OK, (await RedeemAsync(phone, code)).Status);
        Assert.Equal(HttpStatusCode.OK, (await phone.PostAsync("/delete-account", new { })).Status);
        await system.Control.PostAsJsonAsync(
            "/_control/devicecheck/devices",
            new
            {
                name = phone.DeviceId,
                bit0 = false,
                bit1 = false,
            }
        );
        var again = await Phone.OnboardAsync(system.Url, phone.DeviceId, phone.DeviceId);
        Assert.NotEqual(phone.UserId, again.UserId);
        Assert.Equal(10, again.Onboarding["credits_remaining"].GetInt32());
        AssertRefused(await RedeemAsync(again, code), HttpStatusCode.Conflict, "ERR_4012", "already_redeemed");
        // Signing in makes it no other device.
        await SignInAsync(again, "promo other subject " + again.UserId);
        AssertRefused(await RedeemAsync(again, code), HttpStatusCode.Conflict, "ERR_4012", "already_redeemed");
    }

    [Fact]
    public async Task An_apple_subject_that_joined_after_the_redemption_is_used_up_too_also_after_a_deletion()
    {
        var (phone, code) = (await system.NewGuestAsync(), NewCode());
        var subject = "promo subject " + phone.UserId;
        await system.NewPromoCodeAsync(code, 5, 10);
        Assert.Equal(HttpStatusCode.OK, (await RedeemAsync(phone, code)).Status);
        await SignInAsync(phone, subject);
        Assert.Equal(HttpStatusCode.OK, (await phone.PostAsync("/delete-account", new { })).Status);
        var other = await system.NewGuestAsync();
        await SignInAsync(other, subject);
        AssertRefused(await RedeemAsync(other, code), HttpStatusCode.Conflict, "ERR_4012", "already_redeemed");
        Assert.Equal(10, await BalanceAsync(other));
    }

    [Fact]
    public async Task What_a_guest_redeemed_is_used_up_for_the_member_that_they_become_part_of_and_for_their_other_phones()
    {
        var (first, second, code) = (await system.NewGuestAsync(), await system.NewGuestAsync(), NewCode());
        await system.NewPromoCodeAsync(code, 5, 10);
        var subject = "promo joint " + first.UserId;
        await SignInAsync(first, subject);
        Assert.Equal(HttpStatusCode.OK, (await RedeemAsync(second, code)).Status);
        await SignInAsync(second, subject);
        AssertRefused(await RedeemAsync(first, code), HttpStatusCode.Conflict, "ERR_4012", "already_redeemed");
        Assert.Equal(25, await BalanceAsync(first));
        // The first phone goes on as a guest of its own: its device belonged to who has redeemed.
        Assert.Equal(HttpStatusCode.OK, (await first.PostAsync("/delete-account", new { })).Status);
        await system.Control.PostAsJsonAsync(
            "/_control/devicecheck/devices",
            new
            {
                name = first.DeviceId,
                bit0 = false,
                bit1 = false,
            }
        );
        AssertRefused(
            await RedeemAsync(await Phone.OnboardAsync(system.Url, first.DeviceId, first.DeviceId), code),
            HttpStatusCode.Conflict,
            "ERR_4012",
            "already_redeemed"
        );
    }

    [Theory]
    [InlineData(0, 5, 25)]
    [InlineData(23, 5, 2)]
    [InlineData(28, 2, 0)]
    public async Task Two_who_both_redeemed_and_become_one_keep_what_one_redemption_gives(int spent, int takenBack, int balance)
    {
        var (first, second, code) = (await system.NewGuestAsync(), await system.NewGuestAsync(), NewCode());
        await system.NewPromoCodeAsync(code, 5, 10);
        var subject = "promo double " + first.UserId;
        await SignInAsync(first, subject);
        foreach (var phone in new[] { first, second })
        {
            Assert.Equal(HttpStatusCode.OK, (await RedeemAsync(phone, code)).Status);
        }
        foreach (var (phone, part) in new[] { (first, Math.Min(spent, 15)), (second, Math.Max(spent - 15, 0)) })
        {
            await system.ExecuteAsync($"select deduct_credits('{phone.UserId}', {part}, 'admin_adjustment') where {part} > 0");
        }
        await SignInAsync(second, subject);
        Assert.Equal((30 - spent - takenBack, balance), (balance, await BalanceAsync(first)));
        Assert.Equal(
            [$"{-takenBack}"],
            await system.RowsAsync(
                $"select change from quota_log where internal.account_of(user_id) = '{first.UserId}' and reason = 'promo_code' and change < 0"
            )
        );
        Assert.Equal([$"{takenBack}"], await system.RowsAsync($"select taken_back from promo_redemptions where user_id = '{second.UserId}'"));
        await system.AssertLedgerAsync();
    }

    [Fact]
    public async Task Of_a_hundred_who_redeem_a_code_for_ten_at_once_exactly_ten_get_it()
    {
        var code = NewCode();
        var id = await system.NewPromoCodeAsync(code, 7, 10);
        var crowd = await Crowd.MakeAsync(system, 100, 0, "promo crowd ");
        var answers = new System.Collections.Concurrent.ConcurrentBag<ApiResponse>();
        using var http = system.Anybody();
        await Crowd.EachAsync(
            crowd,
            async member =>
            {
                using var request = new HttpRequestMessage(HttpMethod.Post, "/redeem-promo-code") { Content = JsonContent.Create(new { code }) };
                request.Headers.Authorization = new("Bearer", member.Token);
                answers.Add(await ApiResponse.ReadAsync(await http.SendAsync(request)));
            },
            atOnce: 100
        );
        Assert.Equal(10, answers.Count(answer => answer.Status == HttpStatusCode.OK));
        Assert.All(
            answers.Where(answer => answer.Status != HttpStatusCode.OK),
            answer => AssertRefused(answer, HttpStatusCode.Conflict, "ERR_4012", "used_up")
        );
        Assert.Equal(
            ["10|10|70"],
            await system.RowsAsync(
                $"select redeemed, count(r), sum(r.credits) from promo_codes c join promo_redemptions r on r.code_id = c.id where c.id = '{id}' group by 1"
            )
        );
        Assert.Equal(
            70L,
            await system.QueryAsync<long>(
                $"select sum(change) from quota_log where reason = 'promo_code' and user_id in (select user_id from promo_redemptions where code_id = '{id}')"
            )
        );
        await system.AssertLedgerAsync();
    }

    [Fact]
    public async Task One_user_who_redeems_twenty_times_at_once_gets_it_once()
    {
        var (phone, code) = (await system.NewGuestAsync(), NewCode());
        await system.NewPromoCodeAsync(code, 5, 100);
        var key = Guid.NewGuid();
        var answers = await Task.WhenAll(Enumerable.Range(0, 20).Select(each => RedeemAsync(phone, code, each % 2 == 0 ? key : null)));
        // Those with the winner's key have the winner's answer; without the key at most one has won.
        Assert.All(
            answers.Where(answer => answer.Status != HttpStatusCode.OK),
            answer => AssertRefused(answer, HttpStatusCode.Conflict, "ERR_4012", "already_redeemed")
        );
        Assert.Contains(answers, answer => answer.Status == HttpStatusCode.OK);
        Assert.Equal(15, await phone.CreditsAsync());
        await system.AssertLedgerAsync();
    }

    [Fact]
    public async Task Wrong_codes_are_counted_and_after_so_many_right_ones_are_refused_too()
    {
        var (phone, code) = (await system.NewGuestAsync(), NewCode());
        await system.NewPromoCodeAsync(code, 5, 100);
        var answers = await Task.WhenAll(Enumerable.Range(0, 12).Select(each => RedeemAsync(phone, each == 0 ? "not a code: !" : NewCode())));
        Assert.Equal(3, answers.Count(answer => answer.Code == "ERR_4007"));
        Assert.Equal(9, answers.Count(answer => answer.Code == "ERR_4004"));
        var refused = await RedeemAsync(phone, code);
        AssertRefused(refused, HttpStatusCode.TooManyRequests, "ERR_4004");
        Assert.True(refused.Raw.Headers.RetryAfter?.Delta > TimeSpan.Zero);
        Assert.Equal(10, await phone.CreditsAsync());
        // Others go on.
        Assert.Equal(HttpStatusCode.OK, (await RedeemAsync(await system.NewGuestAsync(), code)).Status);
    }

    [Fact]
    public async Task A_code_has_a_beginning_an_end_and_a_number()
    {
        var codes = Enumerable.Range(0, 4).Select(_ => NewCode()).ToList();
        await system.NewPromoCodeAsync(codes[0], 5, 1, "now() + interval '1 hour', null");
        await system.NewPromoCodeAsync(codes[1], 5, 1, "now() - interval '2 hours', now() - interval '1 hour'");
        await system.NewPromoCodeAsync(codes[2], 5, 1);
        var ended = await system.NewPromoCodeAsync(codes[3], 5, 1);
        var phone = await system.NewGuestAsync();
        AssertRefused(await RedeemAsync(phone, codes[0]), HttpStatusCode.NotFound, "ERR_4007");
        AssertRefused(await RedeemAsync(phone, codes[1]), HttpStatusCode.Conflict, "ERR_4012", "ended");
        Assert.Equal(HttpStatusCode.OK, (await RedeemAsync(await system.NewGuestAsync(), codes[2])).Status);
        AssertRefused(await RedeemAsync(phone, codes[2]), HttpStatusCode.Conflict, "ERR_4012", "used_up");
        var end = new { promo_code_id = ended, reason = "posted on a coupon site" };
        Assert.Equal(HttpStatusCode.OK, (await system.PostAsync("/admin-end-promo-code", end)).Status);
        AssertRefused(await RedeemAsync(phone, codes[3]), HttpStatusCode.Conflict, "ERR_4012", "ended");
        // Twice is once.
        Assert.Equal(HttpStatusCode.OK, (await system.PostAsync("/admin-end-promo-code", end)).Status);
        Assert.Equal(["1"], await system.RowsAsync($"select count(*) from admin_actions where action_type = 'promo_code_end' and target_id = '{ended}'"));
    }

    [Fact]
    public async Task Operators_make_codes_that_nobody_can_read_again_and_everything_is_written_down()
    {
        var code = NewCode();
        object Body(int credits = 20, string? ends = null) =>
            new
            {
                code,
                label = "Launch",
                credits,
                max_redemptions = 3,
                ends_at = ends,
                reason = "the launch",
            };
        var key = Guid.NewGuid();
        using var support = await system.TokenAsync("promo@support.example", "support");
        AssertRefused(await AdminSystem.PostAsync(support, "/admin-create-promo-code", Body()), HttpStatusCode.Forbidden, "ERR_4006", "operator_required");
        AssertRefused(await system.PostAsync("/admin-create-promo-code", Body(501)), HttpStatusCode.BadRequest, "ERR_4000", "more_than_one_admin_may_give");
        AssertRefused(await system.PostAsync("/admin-create-promo-code", Body(20, "tomorrow or so")), HttpStatusCode.BadRequest, "ERR_4000", "not_a_time");
        AssertRefused(await system.PostAsync("/admin-create-promo-code", Body(20, "infinity")), HttpStatusCode.BadRequest, "ERR_4000", "does_not_fit_together");
        var made = await system.PostAsync("/admin-create-promo-code", Body(), key);
        Assert.True(made.Status == HttpStatusCode.OK, made.Text);
        Assert.Equal(made.Text, (await system.PostAsync("/admin-create-promo-code", Body(), key)).Text);
        AssertRefused(await system.PostAsync("/admin-create-promo-code", Body()), HttpStatusCode.Conflict, "ERR_4012", "code_exists");
        var id = made["promo_code_id"].GetGuid();
        var phone = await system.NewGuestAsync();
        Assert.Equal(HttpStatusCode.OK, (await RedeemAsync(phone, code)).Status);
        var row = (await system.GetAsync("/admin-list-promo-codes"))["rows"].EnumerateArray().Single(each => each.GetProperty("id").GetGuid() == id);
        Assert.Equal(
            (1, 20, 1, "active", code[^4..], "first@support.example"),
            (
                row.GetProperty("redeemed").GetInt32(),
                row.GetProperty("credits_given").GetInt32(),
                row.GetProperty("redeemed_last_day").GetInt32(),
                row.GetProperty("state").GetString(),
                row.GetProperty("hint").GetString(),
                row.GetProperty("created_by").GetString()
            )
        );
        var use = (await system.GetAsync($"/admin-list-promo-redemptions?promo_code_id={id}"))["rows"][0];
        Assert.Equal((phone.UserId, 20), (use.GetProperty("account_id").GetGuid(), use.GetProperty("credits").GetInt32()));
        Assert.Equal(
            ["promo_code_create|20|the launch|Launch"],
            await system.RowsAsync($"select action_type, amount, reason, details ->> 'label' from admin_actions where target_id = '{id}'")
        );
        // Whoever has a backup has no code, nor a hash of one that a dictionary would open.
        foreach (var table in new[] { "promo_codes", "idempotency_log", "admin_actions", "error_log", "rate_limit_log", "quota_log" })
        {
            Assert.Equal(0L, await system.QueryAsync<long>($"select count(*) from {table} t where t::text ilike '%{code}%'"));
        }
        Assert.False(await system.QueryAsync<bool>($"select exists (select from promo_codes where code_hash = sha256('{code}'))"));
    }

    [Fact]
    public async Task The_command_line_makes_lists_and_ends_codes()
    {
        var (code, output) = await system.RunAsync("promo", "create", "--credits", "5", "--uses", "2", "--label", "From the shell");
        Assert.True(code == 0, output);
        var made = output.Split('\n')[0].Replace("Code: ", "", StringComparison.Ordinal).Trim();
        var id = output.Split('\n')[1].Replace("Id: ", "", StringComparison.Ordinal).Trim();
        Assert.Equal(HttpStatusCode.OK, (await RedeemAsync(await system.NewGuestAsync(), made)).Status);
        (code, output) = await system.RunAsync("promo", "list");
        Assert.Equal(0, code);
        Assert.Contains("1 of 2 redeemed  From the shell", output, StringComparison.Ordinal);
        Assert.Equal(0, (await system.RunAsync("promo", "end", id)).Code);
        AssertRefused(await RedeemAsync(await system.NewGuestAsync(), made), HttpStatusCode.Conflict, "ERR_4012", "ended");
        Assert.NotEqual(0, (await system.RunAsync("promo", "create", "--credits", "0", "--uses", "2")).Code);
        Assert.NotEqual(0, (await system.RunAsync("promo", "create", "--credits", "1", "--uses", "2", "--code", made)).Code);
        Assert.Equal(["2"], await system.RowsAsync($"select count(*) from admin_actions where target_id = '{id}' and admin_user_id is null"));
    }
}
