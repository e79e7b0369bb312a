using System.Net;
using Microsoft.Playwright;
using Reelbase.Tests.Support;
using static Reelbase.Tests.Console.ConsoleSystem;

namespace Reelbase.Tests.Console;

/// <summary>What a support person does, in a real browser, from the first click to the audit.</summary>
[Trait("Needs", "chromium")]
public sealed class SupportStoryTests(ConsoleSystem system) : IClassFixture<ConsoleSystem>
{
    [Fact]
    public async Task An_admin_is_made_and_signs_in_with_password_and_code()
    {
        await UtcTime.SameDayAsync();
        const string email = "new@support.example";
        var (password, secret) = await system.CreateAdminAsync(email);
        var page = await system.OpenAsync();
        // Nobody sees anything before.
        await page.GotoAsync("/admin/users");
        await Expect(page).ToHaveURLAsync(new System.Text.RegularExpressions.Regex("/admin/sign-in"));
        await SubmitAsync(page, email, "not the password", await system.CodeAsync(email, secret));
        await Expect(page.GetByRole(AriaRole.Alert)).ToBeVisibleAsync();
        await SubmitAsync(page, email, password, "000000");
        await Expect(page.GetByRole(AriaRole.Alert)).ToBeVisibleAsync();
        var code = await system.CodeAsync(email, secret);
        await SubmitAsync(page, email, password, code);
        await Expect(page.GetByRole(AriaRole.Heading, new() { Name = "Overview", Level = 1 })).ToBeVisibleAsync();
        await Expect(page.GetByText(email)).ToBeVisibleAsync();
        // A code works once: somebody who watched over the shoulder is late.
        var other = await system.OpenAsync();
        await SubmitAsync(other, email, password, code);
        await Expect(other.GetByRole(AriaRole.Alert)).ToBeVisibleAsync();
        // Too many failures lock, even for the right password and code.
        for (var attempt = 0; attempt < 5; attempt++)
        {
            await SubmitAsync(other, email, "guessing", "123456");
        }
        await SubmitAsync(other, email, password, await system.CodeAsync(email, secret));
        await Expect(other.GetByRole(AriaRole.Alert)).ToBeVisibleAsync();
        Assert.Equal(1L, await system.QueryAsync<long>("select count(*) from alerts where kind = 'admin_locked_out'"));
        // A form that does not come from our page is not taken.
        using var forger = new HttpClient(new SocketsHttpHandler { AllowAutoRedirect = false }) { BaseAddress = new Uri(system.Url) };
        using var forged = await forger.PostAsync(
            "/admin/session",
            new FormUrlEncodedContent(
                new Dictionary<string, string>
                {
                    ["email"] = Email,
                    ["password"] = system.Password,
                    ["code"] = await system.CodeAsync(Email, system.TotpSecret),
                }
            )
        );
        Assert.Equal("/admin/sign-in?wrong=form", forged.Headers.Location?.ToString());
        Assert.DoesNotContain(
            forged.Headers.TryGetValues("Set-Cookie", out var cookies) ? cookies : [],
            cookie => cookie.StartsWith("reelbase_admin", StringComparison.Ordinal)
        );
        // Signing out ends the session itself, not only the cookie.
        var jar = await page.Context.CookiesAsync();
        await page.GetByRole(AriaRole.Button, new() { Name = "Sign out" }).ClickAsync();
        await Expect(page).ToHaveURLAsync(system.Url + "/admin/sign-in");
        await page.Context.AddCookiesAsync(
            jar.Select(cookie => new Microsoft.Playwright.Cookie
            {
                Name = cookie.Name,
                Value = cookie.Value,
                Url = system.Url,
            })
        );
        await page.GotoAsync("/admin");
        await Expect(page).ToHaveURLAsync(new System.Text.RegularExpressions.Regex("/admin/sign-in"));
    }

    [Fact]
    public async Task Where_are_my_credits_found_by_the_apple_transaction_and_given_back()
    {
        var phone = await system.NewGuestAsync();
        var (transaction, signed) = await new Apple(system.Control).BuyAsync(Apple.Pack25, phone.UserId);
        await phone.PostAsync("/update-credits", new { signed_transaction = signed });
        var page = await system.SignedInAsync();
        await page.GetByRole(AriaRole.Link, new() { Name = "Users" }).ClickAsync();
        await page.GetByLabel("Find a user").FillAsync(transaction);
        await page.Keyboard.PressAsync("Enter");
        await Expect(page.GetByText("transaction id", new() { Exact = true })).ToBeVisibleAsync();
        await page.GetByRole(AriaRole.Link, new() { Name = phone.UserId.ToString() }).ClickAsync();
        await Expect(page.GetByRole(AriaRole.Heading, new() { Name = "User", Level = 1 })).ToBeVisibleAsync();
        await Expect(page.GetByRole(AriaRole.Cell, new() { Name = "iap_purchase" })).ToBeVisibleAsync();
        await page.GetByRole(AriaRole.Button, new() { Name = "Give credits back" }).ClickAsync();
        await ActAsync(page, "Give credits back", "paid and got nothing, ticket 12", ("Credits", "8"));
        // The page shows it without being loaded again: balance, ledger and audit.
        await Expect(page.GetByRole(AriaRole.Cell, new() { Name = "admin_refund" })).ToBeVisibleAsync();
        await page.GetByRole(AriaRole.Tab, new() { Name = "Audit" }).ClickAsync();
        await Expect(page.GetByRole(AriaRole.Cell, new() { Name = "paid and got nothing, ticket 12" })).ToBeVisibleAsync();
        Assert.Equal(43, await phone.CreditsAsync());
        Assert.Equal(
            [$"credit_refund|8|{Email}"],
            await system.RowsAsync(
                $"select action_type, amount, u.email from admin_actions a join users u on u.id = a.admin_user_id where target_user_id = '{phone.UserId}'"
            )
        );
        // What is not allowed says why, and the dialog stays.
        await page.GetByRole(AriaRole.Button, new() { Name = "Give credits back" }).ClickAsync();
        var dialog = page.GetByRole(AriaRole.Dialog);
        await dialog.GetByLabel("Credits").FillAsync("100000");
        await dialog.GetByLabel("Reason").FillAsync("far too many");
        await dialog.GetByRole(AriaRole.Button, new() { Name = "Give credits back" }).ClickAsync();
        await Expect(dialog.GetByText("ERR_4000")).ToBeVisibleAsync();
        await page.Keyboard.PressAsync("Escape");
        // The audit is exported as it is.
        await page.GotoAsync("/admin/audit");
        var download = await page.RunAndWaitForDownloadAsync(() => page.GetByRole(AriaRole.Button, new() { Name = "Export CSV" }).ClickAsync());
        Assert.Contains("paid and got nothing, ticket 12", await File.ReadAllTextAsync(await download.PathAsync()), StringComparison.Ordinal);
    }

    [Fact]
    public async Task A_large_refund_waits_until_a_second_admin_presses_approve()
    {
        var phone = await system.NewGuestAsync();
        var page = await system.SignedInAsync();
        await page.GotoAsync($"/admin/users/{phone.UserId}");
        await page.GetByRole(AriaRole.Button, new() { Name = "Give credits back" }).ClickAsync();
        await ActAsync(page, "Give credits back", "a whole month was black", ("Credits", "600"));
        await Expect(page.GetByText("Another admin has to approve that.")).ToBeVisibleAsync();
        Assert.Equal(10, await phone.CreditsAsync());
        // Who asked can take it back, and no more.
        await page.GotoAsync("/admin/approvals");
        var own = page.GetByRole(AriaRole.Row).Filter(new() { HasText = "a whole month was black" });
        await Expect(own.GetByRole(AriaRole.Button, new() { Name = "Decline" })).ToBeVisibleAsync();
        await Expect(own.GetByRole(AriaRole.Button, new() { Name = "Approve" })).ToHaveCountAsync(0);
        const string email = "approves@support.example";
        var (_, password, secret, _) = await system.NewAdminAsync(email);
        var other = await system.OpenAsync();
        await SubmitAsync(other, email, password, await system.CodeAsync(email, secret));
        await Expect(other.GetByRole(AriaRole.Heading, new() { Name = "Overview", Level = 1 })).ToBeVisibleAsync();
        await other.GetByRole(AriaRole.Link, new() { Name = "Approvals" }).ClickAsync();
        var row = other.GetByRole(AriaRole.Row).Filter(new() { HasText = "a whole month was black" });
        await row.GetByRole(AriaRole.Button, new() { Name = "Approve" }).ClickAsync();
        await ActAsync(other, "Approve", "seen in the ticket");
        await Expect(row).ToHaveCountAsync(0);
        Assert.Equal(610, await phone.CreditsAsync());
    }

    [Fact]
    public async Task A_purchase_without_an_owner_is_given_to_its_buyer()
    {
        var phone = await system.NewGuestAsync();
        var (transaction, _) = await new Apple(system.Control).BuyAsync(Apple.Pack25, notify: true);
        await Eventually.IsAsync(() => system.QueryAsync<long>($"select count(*) from purchases where transaction_id = '{transaction}'"), rows => rows == 1);
        var page = await system.SignedInAsync();
        await page.GotoAsync("/admin/products");
        var row = page.GetByRole(AriaRole.Row).Filter(new() { HasText = transaction });
        await row.GetByRole(AriaRole.Button, new() { Name = "Give to its owner" }).ClickAsync();
        await ActAsync(page, "Give to its owner", "the receipt came by mail", ("User", phone.UserId.ToString()));
        await Expect(row.GetByRole(AriaRole.Link, new() { Name = phone.UserId.ToString() })).ToBeVisibleAsync();
        Assert.Equal(35, await phone.CreditsAsync());
    }

    [Fact]
    public async Task Where_is_my_video_explained_from_its_timeline()
    {
        var phone = await system.NewGuestAsync(50);
        var failed = (await phone.GenerateAndWatchAsync("A lost kite [fail]")).GetProperty("job_id").GetString()!;
        var good = (await phone.GenerateAndWatchAsync("A found kite")).GetProperty("job_id").GetString()!;
        var page = await system.SignedInAsync();
        await page.GotoAsync("/admin/jobs");
        await page.GetByRole(AriaRole.Link, new() { Name = failed }).ClickAsync();
        await Expect(page.GetByText("job accepted")).ToBeVisibleAsync();
        await Expect(page.GetByText("submission 1")).ToBeVisibleAsync();
        await Expect(page.GetByText("job failed")).ToBeVisibleAsync();
        await Expect(page.GetByRole(AriaRole.Cell, new() { Name = "generation_failed_refund" })).ToBeVisibleAsync();
        await Expect(page.GetByRole(AriaRole.Button, new() { Name = "Refund the job" })).ToHaveCountAsync(0);
        // The other one plays.
        await page.GotoAsync($"/admin/jobs/{good}");
        var video = page.Locator("video");
        await Expect(video).ToBeVisibleAsync();
        var seconds = await video.EvaluateAsync<double>(
            "async v => { v.muted = true; if (v.readyState < 1) await new Promise((done, bad) => { v.onloadedmetadata = done; v.onerror = () => bad(new Error('it does not play')); v.load(); }); return v.duration; }"
        );
        Assert.True(seconds > 0);
        // A job that runs while somebody watches: the page follows it to its end by itself.
        var slow = (await phone.GenerateAsync("Watched [slow 3]"))["job_id"].GetString()!;
        await page.GotoAsync($"/admin/jobs/{slow}");
        await Expect(page.GetByText("job accepted")).ToBeVisibleAsync();
        await Expect(page.GetByText("job completed")).ToBeVisibleAsync();
        await Expect(page.Locator("video")).ToBeVisibleAsync();
    }

    [Fact]
    public async Task A_ban_and_the_session_dies_on_the_phone_and_in_a_console()
    {
        var phone = await system.NewGuestAsync();
        var page = await system.SignedInAsync();
        await page.GotoAsync($"/admin/users/{phone.UserId}");
        await page.GetByRole(AriaRole.Button, new() { Name = "More" }).ClickAsync();
        await page.GetByText("Ban", new() { Exact = true }).ClickAsync();
        await ActAsync(page, "Ban", "insults people");
        await Expect(page.GetByText("banned", new() { Exact = true })).ToBeVisibleAsync();
        Assert.Equal(HttpStatusCode.Forbidden, (await phone.GetAsync("/get-user-credits")).Status);
        // An admin who is banned while a page is open loses it.
        const string email = "leaves@support.example";
        var (_, password, secret, _) = await system.NewAdminAsync(email);
        var other = await system.OpenAsync();
        await SubmitAsync(other, email, password, await system.CodeAsync(email, secret));
        await Expect(other.GetByRole(AriaRole.Heading, new() { Name = "Overview", Level = 1 })).ToBeVisibleAsync();
        await page.GotoAsync($"/admin/users/{await system.QueryAsync<Guid>($"select id from users where email = '{email}'")}");
        await page.GetByRole(AriaRole.Button, new() { Name = "More" }).ClickAsync();
        await page.GetByText("Ban", new() { Exact = true }).ClickAsync();
        await ActAsync(page, "Ban", "left the team");
        await Expect(other).ToHaveURLAsync(new System.Text.RegularExpressions.Regex("/admin/sign-in"));
    }

    [Fact]
    public async Task A_model_is_switched_off_and_get_models_follows()
    {
        const string name = "Pika 2.2 Image";
        using var app = system.Anybody();
        var page = await system.SignedInAsync();
        await page.GotoAsync("/admin/models");
        var row = page.GetByRole(AriaRole.Row).Filter(new() { Has = page.GetByText(name, new() { Exact = true }) });
        await row.GetByRole(AriaRole.Button, new() { Name = "Switch off" }).ClickAsync();
        await ActAsync(page, "Switch off", "the vendor has trouble");
        await Expect(row.GetByText("off", new() { Exact = true })).ToBeVisibleAsync();
        Assert.DoesNotContain(name, await app.GetStringAsync("/get-models"), StringComparison.Ordinal);
        await page.GetByRole(AriaRole.Tab, new() { Name = "What the app gets" }).ClickAsync();
        await Expect(page.Locator("pre")).Not.ToContainTextAsync(name);
        await page.GetByRole(AriaRole.Tab, new() { Name = "Models" }).ClickAsync();
        await row.GetByRole(AriaRole.Button, new() { Name = "Switch on" }).ClickAsync();
        await ActAsync(page, "Switch on", "the vendor is well");
        await Expect(row.GetByText("offered", new() { Exact = true })).ToBeVisibleAsync();
        Assert.Contains(name, await app.GetStringAsync("/get-models"), StringComparison.Ordinal);
        // A price is edited, and only the price.
        await row.GetByRole(AriaRole.Button, new() { Name = "Edit" }).ClickAsync();
        await page.GetByRole(AriaRole.Dialog).GetByLabel("Credits a second").FillAsync("2");
        await ActAsync(page, "Save", "dearer at the vendor");
        Assert.Equal(2, await system.QueryAsync<int>($"select credits_per_second from models where name = '{name}'"));
        Assert.Equal(
            """{"credits_per_second": 2}""",
            await system.QueryAsync<string>("select details ->> 'changed' from admin_actions where action_type = 'model_edit' order by id desc limit 1")
        );
    }

    [Fact]
    public async Task A_dead_webhook_is_handled_again()
    {
        var phone = await system.NewGuestAsync();
        var job = (await phone.GenerateAndWatchAsync("With a webhook")).GetProperty("job_id").GetString();
        var id = await system.QueryAsync<long>($"select id from webhook_deliveries where job_id = '{job}' limit 1");
        await system.ExecuteAsync($"update webhook_deliveries set status = 'failed', processed_at = now(), last_error = 'given up for a test' where id = {id}");
        var page = await system.SignedInAsync();
        await page.GotoAsync("/admin/webhooks");
        var row = page.GetByRole(AriaRole.Row).Filter(new() { HasText = "given up for a test" });
        await Expect(row.GetByText("failed", new() { Exact = true })).ToBeVisibleAsync();
        await row.GetByRole(AriaRole.Button, new() { Name = "Handle it again" }).ClickAsync();
        await ActAsync(page, "Handle it again", "the outage is over");
        await Expect(page.GetByRole(AriaRole.Row).Filter(new() { HasText = job }).GetByText("processed", new() { Exact = true })).ToBeVisibleAsync();
        Assert.Equal("processed", await system.QueryAsync<string>($"select status from webhook_deliveries where id = {id}"));
    }
}
