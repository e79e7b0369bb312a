using System.Text.RegularExpressions;
using Microsoft.Playwright;
using OtpNet;
using Reelbase.Tests.Support;

namespace Reelbase.Tests.Console;

/// <summary>The installation with a browser, and an admin who can sign in.</summary>
public class ConsoleSystem : TestSystem
{
    protected override bool HasConsole => true;

    protected override bool HasMediaTools => true;

    protected override bool DrawsVideos => HasMediaTools;

    private IPlaywright? _playwright;
    private IBrowser? _browser;

    public const string Email = "someone@support.example";

    public string Password { get; private set; } = "";
    public string TotpSecret { get; private set; } = "";

    protected override double VideoSeconds => 0.2;

    public override async ValueTask InitializeAsync()
    {
        await base.InitializeAsync();
        var admin = await NewAdminAsync(Email);
        (Password, TotpSecret) = (admin.Password, admin.TotpSecret);
        _playwright = await Playwright.CreateAsync();
        // Debian's Chromium; as root it runs only without its sandbox, and it opens nothing here but loopback.
        _browser = await _playwright.Chromium.LaunchAsync(new() { ExecutablePath = "/usr/bin/chromium", Args = ["--no-sandbox"] });
    }

    public override async ValueTask DisposeAsync()
    {
        GC.SuppressFinalize(this);
        await (_browser?.DisposeAsync() ?? default);
        _playwright?.Dispose();
        await base.DisposeAsync();
    }

    /// <summary>Makes an admin from the command line, as an operator does.</summary>
    public async Task<(string Password, string TotpSecret)> CreateAdminAsync(string email)
    {
        var data = new Dictionary<string, string> { ["REELBASE__Server__DataDirectory"] = DataDirectory };
        var (code, output) = await ServerProcess.RunAsync(data, "admin", "create", "--email", email, "--database", Owner);
        Assert.True(code == 0, output);
        string Line(string name) => Regex.Match(output, $"^{name}: (.*)$", RegexOptions.Multiline).Groups[1].Value.Trim();
        return (Line("Password"), Line("TOTP secret"));
    }

    /// <summary>A window of a browser of its own.</summary>
    public async Task<IPage> OpenAsync(int width = 1400, int height = 900, ColorScheme scheme = ColorScheme.Light)
    {
        var context = await _browser!.NewContextAsync(
            new()
            {
                BaseURL = Url,
                ViewportSize = new() { Width = width, Height = height },
                ColorScheme = scheme,
                // Nothing is caught halfway between two colours.
                ReducedMotion = ReducedMotion.Reduce,
                TimezoneId = "Europe/Istanbul",
                Locale = "en-GB",
                AcceptDownloads = true,
                // A proxy of a test has a certificate that nobody knows.
                IgnoreHTTPSErrors = true,
            }
        );
        context.SetDefaultTimeout(Patience.Milliseconds);
        context.SetDefaultNavigationTimeout(Patience.Milliseconds);
        return await context.NewPageAsync();
    }

    /// <summary>Fills in the form and waits for what answers it.</summary>
    public static async Task SubmitAsync(IPage page, string email, string password, string code)
    {
        await page.GotoAsync("/admin/sign-in");
        await page.FillAsync("#email", email);
        await page.FillAsync("#password", password);
        await page.FillAsync("#code", code);
        // The answer is another document, which does not carry this mark: nothing else distinguishes the old page from the same page shown again.
        await page.EvaluateAsync("document.documentElement.dataset.asked = ''");
        await page.ClickAsync("button[type=submit]");
        await page.WaitForSelectorAsync("html:not([data-asked]) body", new() { State = WaitForSelectorState.Attached });
    }

    /// <summary>A code that was not used yet: each works once, so the next window waits for the next step by making it up.</summary>
    public async Task<string> CodeAsync(string email, string secret)
    {
        // The server takes the step before and after the present one; the used ones are forgotten between tests.
        await ExecuteAsync($"update admin_credentials set totp_step = 0 where user_id = (select id from users where email = '{email}')");
        return new Totp(Base32Encoding.ToBytes(secret)).ComputeTotp();
    }

    /// <summary>A window with an admin who has signed in.</summary>
    public async Task<IPage> SignedInAsync(int width = 1400, int height = 900, ColorScheme scheme = ColorScheme.Light)
    {
        var page = await OpenAsync(width, height, scheme);
        await SubmitAsync(page, Email, Password, await CodeAsync(Email, TotpSecret));
        await Expect(page).ToHaveURLAsync(Url + "/admin");
        await Expect(page.GetByRole(AriaRole.Heading, new() { Name = "Overview", Level = 1 })).ToBeVisibleAsync();
        return page;
    }

    /// <summary>Does what a dialog asks: fills in its fields and the reason, and presses its button.</summary>
    public static async Task ActAsync(IPage page, string action, string reason, params (string Label, string Value)[] fields)
    {
        var dialog = page.GetByRole(AriaRole.Dialog);
        foreach (var (label, value) in fields)
        {
            await dialog.GetByLabel(label).FillAsync(value);
        }
        await dialog.GetByLabel("Reason").FillAsync(reason);
        await dialog.GetByRole(AriaRole.Button, new() { Name = action }).ClickAsync();
        await Expect(dialog).ToBeHiddenAsync();
    }

    public static ILocatorAssertions Expect(ILocator locator)
    {
        Assertions.SetDefaultExpectTimeout(Patience.Milliseconds);
        return Assertions.Expect(locator);
    }

    public static IPageAssertions Expect(IPage page)
    {
        Assertions.SetDefaultExpectTimeout(Patience.Milliseconds);
        return Assertions.Expect(page);
    }
}
