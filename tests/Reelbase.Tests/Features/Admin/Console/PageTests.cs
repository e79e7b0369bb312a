using System.Text.RegularExpressions;
using Deque.AxeCore.Commons;
using Deque.AxeCore.Playwright;
using Microsoft.Playwright;
using Reelbase.Tests.Support;
using static Reelbase.Tests.Console.ConsoleSystem;

namespace Reelbase.Tests.Console;

/// <summary>Every page, light and dark, wide and on a phone: nothing is cut off, nobody is shut out, and pictures of it all for whoever asks.</summary>
[Trait("Needs", "chromium")]
public sealed class PageTests(PageTests.Furnished system) : IClassFixture<PageTests.Furnished>
{
    /// <summary>A system in which something has happened.</summary>
    public sealed class Furnished : ConsoleSystem
    {
        public Phone Phone { get; private set; } = null!;
        public string Good { get; private set; } = "";
        public string Failed { get; private set; } = "";

        public override async ValueTask InitializeAsync()
        {
            await base.InitializeAsync();
            Phone = await NewGuestAsync(200);
            await Phone.PostAsync(
                "/register-push-token",
                new { token = Convert.ToHexStringLower(Phone.UserId.ToByteArray()) + Convert.ToHexStringLower(Phone.UserId.ToByteArray()) }
            );
            Good = (
                await Phone.GenerateAndWatchAsync(
                    "A paper boat on a quiet lake at dawn, with mist above the water and a very long description so that it has to wrap somewhere"
                )
            )
                .GetProperty("job_id")
                .GetString()!;
            Failed = (await Phone.GenerateAndWatchAsync("A kite in a storm [fail]")).GetProperty("job_id").GetString()!;
            await Phone.GenerateAndWatchAsync("[reject] something ugly");
            var apple = new Apple(Control);
            foreach (var environment in new[] { "Production", "Sandbox" })
            {
                var (_, signed) = await apple.BuyAsync(Apple.Pack25, Phone.UserId, environment: environment);
                await Phone.PostAsync("/update-credits", new { signed_transaction = signed });
            }
            var (token, _) = await apple.SignInAsync("furnished", "a.rather.long.address.of.somebody@mail.example");
            await Phone.PostAsync("/merge-guest-user", new { id_token = token });
            await Phone.PostAsync(
                "/record-consent",
                new
                {
                    kind = "terms",
                    version = "2026-01",
                    granted = true,
                }
            );
            await Phone.PostAsync("/report-content", new { job_id = Good, reason = "It shows my neighbour." });
            await NewPromoCodeAsync("LAUNCH-2027-JANUARY", 10, 500, "now(), now() + interval '30 days'");
            await ExecuteAsync(
                """
                insert into app_settings (key, value, updated_by) select 'new_onboarding', 'true', min(id::text)::uuid from users where is_admin;
                insert into app_settings (key, value) values ('paywall.plans_in_the_order_of_the_page', '["monthly", "yearly", {"name": "for ever", "badge": true}]'), ('Generation:GuestPerWindow', '12')
                """
            );
            await Phone.PostAsync("/redeem-promo-code", new { code = "launch 2027 january" });
            await Phone.PostAsync("/generate-video", new { }, Guid.NewGuid());
            using var nobody = Anybody();
            await nobody.GetAsync("/get-user-credits");
            await ExecuteAsync("select raise_alert('test_alert', 'furnished', 'Something that an operator should know, in a sentence of some length.')");
            await QueryAsync<DateTime>("select count_hours(100)");
            await ExecuteAsync(
                $"insert into admin_actions (admin_user_id, action_type, target_user_id, amount, reason) select id, 'credit_refund', '{Phone.UserId}', 8, 'a reason of some length that has to wrap on a phone' from users where email = '{Email}'"
            );
            await Eventually.IsAsync(() => QueryAsync<long>("select count(*) from error_log"), rows => rows > 1);
        }

        public IReadOnlyList<(string Name, string Path)> Pages =>
            [
                ("overview", "/admin"),
                ("users", "/admin/users"),
                ("user", $"/admin/users/{Phone.UserId}"),
                ("jobs", "/admin/jobs"),
                ("job", $"/admin/jobs/{Good}"),
                ("job-failed", $"/admin/jobs/{Failed}"),
                ("models", "/admin/models"),
                ("products", "/admin/products"),
                ("promo-codes", "/admin/promo-codes"),
                ("app-settings", "/admin/app-settings"),
                ("consent-terms", "/admin/consent-terms"),
                ("webhooks", "/admin/webhooks"),
                ("passkeys", "/admin/passkeys"),
                ("sessions", "/admin/sessions"),
                ("approvals", "/admin/approvals"),
                ("reports", "/admin/reports"),
                ("errors", "/admin/errors"),
                ("audit", "/admin/audit"),
                ("system", "/admin/system"),
                ("empty", "/admin/users?q=nobody-like-that"),
                ("unknown-user", "/admin/users/00000000-0000-4000-8000-000000000000"),
            ];
    }

    private static readonly string? Pictures = Environment.GetEnvironmentVariable("REELBASE_SCREENSHOTS");

    /// <summary>Two of the six screens with every run, and each page in one of them; all pages in all screens when pictures are made.</summary>
    public static TheoryData<string, int, int, ColorScheme> Screens()
    {
        var screens = new TheoryData<string, int, int, ColorScheme>
        {
            { "wide-light", 1400, 900, ColorScheme.Light },
            { "phone-dark", 390, 844, ColorScheme.Dark },
        };
        if (Pictures is not null)
        {
            screens.Add("wide-dark", 1400, 900, ColorScheme.Dark);
            screens.Add("phone-light", 390, 844, ColorScheme.Light);
            screens.Add("tablet-light", 820, 1180, ColorScheme.Light);
            screens.Add("tablet-dark", 820, 1180, ColorScheme.Dark);
        }
        return screens;
    }

    /// <summary>Signing in has tests of its own, and who is not signed in or has lost the way is shown the others.</summary>
    private static readonly string[] Elsewhere = ["/admin/sign-in", "/admin/password", "/admin/not-found"];

    [Fact]
    public void No_page_of_the_console_is_left_out() =>
        Assert.Equal(
            Elsewhere.Order(),
            Repository
                .Files("src/Reelbase.Server/Features", "*.razor")
                .SelectMany(File.ReadLines)
                .Where(line => line.StartsWith("@page ", StringComparison.Ordinal))
                .Select(line => line.Split('"')[1])
                .Where(page => !system.Pages.Any(visited => Regex.IsMatch(visited.Path.Split('?')[0], $"^{Regex.Replace(page, @"\{\w+\}", "[^/]+")}$")))
                .Order()
        );

    [Theory]
    [MemberData(nameof(Screens))]
    public async Task Each_page_can_be_read_by_everybody(string screen, int width, int height, ColorScheme scheme)
    {
        var page = await system.SignedInAsync(width, height, scheme);
        var isPhone = width < 600;
        var wrong = new List<string>();
        page.Console += (_, message) =>
        {
            if (message.Type == "error")
            {
                wrong.Add($"{page.Url}: {message.Text}");
            }
        };
        page.PageError += (_, error) => wrong.Add($"{page.Url}: {error}");
        if (isPhone)
        {
            // On a phone the menu lies over the page; it is put away first.
            var menu = page.Locator(".mud-drawer-overlay");
            if (await menu.CountAsync() > 0)
            {
                await menu.ClickAsync();
            }
        }
        foreach (var (name, path) in system.Pages.Where((_, number) => Pictures is not null || number % 2 == 0 == isPhone))
        {
            await page.GotoAsync(path);
            await Expect(page.GetByRole(AriaRole.Heading, new() { Level = 1 })).ToBeVisibleAsync();
            await Expect(page.Locator(".mud-progress-linear")).ToHaveCountAsync(0);
            await InspectAsync(page, name);
            // Each tab too when pictures are made.
            foreach (var tab in Pictures is null ? [] : await page.GetByRole(AriaRole.Tab).AllAsync())
            {
                var text = Regex.Replace((await tab.InnerTextAsync()).Trim().ToLowerInvariant(), "[^a-z]+", "-");
                await tab.ClickAsync();
                await InspectAsync(page, $"{name}-{text}");
            }
        }
        Assert.Empty(wrong);

        async Task InspectAsync(IPage page, string name)
        {
            // The page comes light and turns dark once it is live; what moves has come to its end before anything is judged or kept.
            await Eventually.IsAsync(
                () =>
                    page.EvaluateAsync<bool>(
                        "isDark => (getComputedStyle(document.body).backgroundColor.match(/\\d+/g).slice(0, 3).reduce((sum, one) => sum + Number(one), 0) < 384) === isDark && document.getAnimations().every(one => one.playState !== 'running')",
                        scheme == ColorScheme.Dark
                    ),
                settled => settled
            );
            if (Pictures is { Length: > 0 })
            {
                Directory.CreateDirectory(Pictures);
                await page.ScreenshotAsync(new() { Path = Path.Combine(Pictures, $"{name}.{screen}.png"), FullPage = true });
            }
            var overflow = await page.EvaluateAsync<int>("document.documentElement.scrollWidth - document.documentElement.clientWidth");
            if (overflow > 1)
            {
                wrong.Add($"{name} is {overflow} px wider than the {screen} screen");
            }
            var found = await page.RunAxe(
                new AxeRunOptions
                {
                    RunOnly = new RunOnlyOptions { Type = "tag", Values = ["wcag2a", "wcag2aa", "wcag21a", "wcag21aa", "best-practice"] },
                }
            );
            wrong.AddRange(
                from violation in found.Violations
                where violation.Impact is "serious" or "critical"
                select $"{name} ({screen}): {violation.Id}: {violation.Help}: {string.Join(" | ", violation.Nodes.Take(3).Select(node => node.Html[..Math.Min(200, node.Html.Length)]))}"
            );
        }
    }

    [Fact]
    public async Task The_page_to_choose_a_password_and_the_one_to_try_the_api_run_under_their_policies()
    {
        var page = await system.OpenAsync(390, 844);
        var refused = new List<string>();
        page.Console += (_, message) =>
        {
            if (message.Text.Contains("Content Security Policy", StringComparison.OrdinalIgnoreCase) || message.Type == "error")
            {
                refused.Add(message.Text);
            }
        };
        page.PageError += (_, error) => refused.Add(error);
        await page.GotoAsync("/admin/password?wrong=common");
        Assert.DoesNotContain((await page.RunAxe()).Violations, violation => violation.Impact is "serious" or "critical");
        await page.GotoAsync("/docs");
        await Expect(page.GetByText("Delete the caller's account, files and personal data").First).ToBeAttachedAsync();
        Assert.Empty(refused);
    }

    [Fact]
    public async Task The_sign_in_page_can_be_read_by_everybody_and_the_keyboard_is_enough()
    {
        foreach (var (screen, scheme) in new[] { ("light", ColorScheme.Light), ("dark", ColorScheme.Dark) })
        {
            var page = await system.OpenAsync(390, 844, scheme);
            await page.GotoAsync("/admin/sign-in?wrong=yes");
            if (Pictures is { Length: > 0 })
            {
                await page.ScreenshotAsync(new() { Path = Path.Combine(Pictures, $"sign-in.phone-{screen}.png") });
            }
            Assert.DoesNotContain((await page.RunAxe()).Violations, violation => violation.Impact is "serious" or "critical");
            await page.FocusAsync("#email");
            await page.Keyboard.TypeAsync(Email);
            await page.Keyboard.PressAsync("Tab");
            await page.Keyboard.TypeAsync(system.Password);
            await page.Keyboard.PressAsync("Tab");
            await page.Keyboard.TypeAsync(await system.CodeAsync(Email, system.TotpSecret));
            await page.Keyboard.PressAsync("Enter");
            await Expect(page.GetByRole(AriaRole.Heading, new() { Name = "Overview", Level = 1 })).ToBeVisibleAsync();
        }
    }
}
