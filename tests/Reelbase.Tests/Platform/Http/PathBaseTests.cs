using System.ComponentModel.DataAnnotations;
using System.Text.RegularExpressions;
using Microsoft.AspNetCore.Http;
using Microsoft.Extensions.Hosting.Internal;
using Microsoft.Extensions.Options;
using Reelbase.Server.Features.Jobs.GenerateVideo;
using Reelbase.Server.Platform;
using Reelbase.Server.Platform.Http;
using Reelbase.Tests.Support;

namespace Reelbase.Tests.Platform;

/// <summary>A server on a sub-path of a host with others: which paths it takes, and that nothing of it asks for the root.</summary>
[Quick]
[Trait("Check", "yes")]
public sealed partial class PathBaseTests
{
    [Theory]
    [InlineData("/reelbase", true)]
    [InlineData("/apps/reel-base_1.0~x", true)]
    [InlineData("/..a", true)]
    [InlineData("reelbase", false)]
    [InlineData("/", false)]
    [InlineData("/reelbase/", false)]
    [InlineData("//reelbase", false)]
    [InlineData("/a//b", false)]
    [InlineData("/..", false)]
    [InlineData("/a/../b", false)]
    [InlineData("/./b", false)]
    [InlineData("/a b", false)]
    [InlineData("/a?b", false)]
    [InlineData("/a%2fb", false)]
    [InlineData("/a\n", false)]
    [InlineData("/ä", false)]
    public void A_sub_path_is_one_that_every_link_can_carry(string path, bool isTaken) =>
        Assert.Equal(isTaken, Faults(new() { PathBase = path }).All(fault => !fault.MemberNames.Contains("PathBase")));

    [Theory]
    [InlineData("https://example.com/reelbase", true)]
    [InlineData("https://example.com/reelbase/", true)]
    [InlineData("https://example.com", false)]
    [InlineData("https://example.com/reelbase/api", false)]
    [InlineData("https://reelbase", false)]
    [InlineData("https://example.com/my/reelbase", false)]
    public void The_public_address_ends_with_it_because_links_are_made_of_that(string url, bool isTaken) =>
        Assert.Equal(isTaken, Faults(new() { PathBase = "/reelbase", PublicUrl = url }).Count == 0);

    [Theory]
    [InlineData("https://example.com/reelbase/storage/v1/object/sign/uploads/4f6c0b8e-0000-4000-8000-000000000001/cat.png?token=x")]
    [InlineData("https://example.com/reelbase//storage/v1/object/uploads/4f6c0b8e-0000-4000-8000-000000000001/cat.png")]
    public void A_picture_of_our_storage_is_known_by_its_address_below_it(string url)
    {
        var server = new ServerOptions { PathBase = "/reelbase", PublicUrl = "https://example.com/reelbase" };
        var rules = new ImageUrlRules(Options.Create(server), Options.Create(new DownloadOptions()), new HostingEnvironment { EnvironmentName = "Production" });
        Assert.Equal("cat.png", rules.Check(url, new DefaultHttpContext())?.Path);
    }

    [Fact]
    public void No_page_and_no_script_of_the_console_asks_for_the_root() =>
        Assert.Empty(
            from file in Repository.Files("src/Reelbase.Server", "*.razor").Append(Repository.PathOf("src/Reelbase.Server/wwwroot/console.js"))
            from line in File.ReadAllLines(file)
            where FromTheRoot().IsMatch(line) && !NoAddress().IsMatch(line)
            select $"{Path.GetRelativePath(Repository.Root, file)}: {line.Trim()}"
        );

    [Theory]
    [InlineData("<form method=\"post\" action=\"/admin/session\">")]
    [InlineData("<MudLink Href=\"@($\"/admin/jobs/{id}\")\">")]
    [InlineData("Navigation.NavigateTo(\"/admin\", forceLoad: true);")]
    [InlineData("await post('/admin/passkey/new', {})")]
    public void Such_an_address_is_seen_in_any_of_its_forms(string code) => Assert.Matches(FromTheRoot(), code);

    private static List<ValidationResult> Faults(ServerOptions options) => [.. options.Validate(new(options))];

    [GeneratedRegex("""["'`]/\w""")]
    private static partial Regex FromTheRoot();

    [GeneratedRegex("^@page |StartsWithSegments")]
    private static partial Regex NoAddress();
}
