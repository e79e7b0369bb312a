using System.Net;
using System.Text.Json;
using Reelbase.Tests.Support;

namespace Reelbase.Tests.Features;

/// <summary>The catalogue, the profile, the settings, the balance and the ledger as a user reads them.</summary>
[Collection(SharedProduct.Name)]
public sealed class AccountTests(TestSystem system)
{
    [Fact]
    public async Task Models_are_the_offered_ones_with_public_fields_only_featured_first()
    {
        using var http = system.Anybody();
        var models = (await http.GetFromJsonAsync<JsonElement>("/get-models")).GetProperty("models").EnumerateArray().ToList();
        Assert.All(
            models,
            model =>
                Assert.Equal(
                    [
                        "category",
                        "cost_per_generation",
                        "credits_per_second",
                        "description",
                        "has_audio",
                        "id",
                        "is_active",
                        "is_featured",
                        "name",
                        "pricing_type",
                        "provider",
                        "required_fields",
                        "sunset_at",
                        "thumbnail_url",
                    ],
                    model.EnumerateObject().Select(property => property.Name).Order()
                )
        );
        var order = models.Select(model => (Featured: !model.GetProperty("is_featured").GetBoolean(), Name: model.GetProperty("name").GetString())).ToList();
        Assert.Equal(order.OrderBy(item => item.Featured).ThenBy(item => item.Name, StringComparer.Ordinal), order);
        Assert.DoesNotContain(models, model => model.GetProperty("name").GetString() == "Sora 2");
    }

    [Fact]
    public async Task Models_have_a_strong_tag_and_are_not_sent_again()
    {
        await using var alone = new TestSystem();
        await alone.InitializeAsync();
        using var http = alone.Anybody();
        using var first = await http.GetAsync("/get-models");
        var tag = first.Headers.ETag!;
        Assert.False(tag.IsWeak);
        http.DefaultRequestHeaders.IfNoneMatch.Add(tag);
        using var second = await http.GetAsync("/get-models");
        Assert.Equal(HttpStatusCode.NotModified, second.StatusCode);
        Assert.Empty(await second.Content.ReadAsByteArrayAsync());
        await alone.ExecuteAsync("update models set is_available = false where name = 'Pika 2.2'");
        using var third = await http.GetAsync("/functions/v1/get-models");
        Assert.Equal(HttpStatusCode.OK, third.StatusCode);
        Assert.NotEqual(tag, third.Headers.ETag);
        Assert.DoesNotContain("\"Pika 2.2\"", await third.Content.ReadAsStringAsync(), StringComparison.Ordinal);
        await alone.ExecuteAsync("update models set is_available = true where name = 'Pika 2.2'");
        using var fourth = await http.GetAsync("/get-models");
        Assert.Equal(HttpStatusCode.NotModified, fourth.StatusCode);
        // What a server keeps of the list is never more than what is on offer now.
        await alone.ExecuteAsync("update models set is_available = false");
        using var none = await http.GetAsync("/get-models");
        Assert.Equal("""{"models":[]}""", await none.Content.ReadAsStringAsync());
        using var again = await http.GetAsync("/get-models");
        Assert.Equal("""{"models":[]}""", await again.Content.ReadAsStringAsync());
    }

    [Theory]
    [InlineData(
        "/get-themes",
        "update themes set description = 'Another' where name = 'Snow fox'",
        "update themes set description = 'Quiet steps.' where name = 'Snow fox'"
    )]
    [InlineData("/get-products", "update products set credits = credits + 1", "update products set credits = credits - 1")]
    public async Task Lists_for_everybody_have_a_strong_tag_that_changes_with_them(string path, string change, string back)
    {
        using var http = system.Anybody();
        using var first = await http.GetAsync(path);
        var tag = first.Headers.ETag!;
        Assert.False(tag.IsWeak);
        http.DefaultRequestHeaders.IfNoneMatch.Add(tag);
        using var second = await http.GetAsync("/functions/v1" + path);
        Assert.Equal(HttpStatusCode.NotModified, second.StatusCode);
        await system.ExecuteAsync(change);
        using var third = await http.GetAsync(path);
        await system.ExecuteAsync(back);
        Assert.Equal(HttpStatusCode.OK, third.StatusCode);
        Assert.NotEqual(tag, third.Headers.ETag);
    }

    [Fact]
    public async Task Products_on_sale_say_what_they_give_and_nothing_else()
    {
        using var http = system.Anybody();
        var products = (await http.GetFromJsonAsync<JsonElement>("/get-products")).GetProperty("products").EnumerateArray().ToList();
        Assert.Equal(await system.QueryAsync<long>("select count(*) from products where is_active"), products.Count);
        Assert.All(products, product => Assert.Equal(["product_id", "credits", "grants_tier"], product.EnumerateObject().Select(property => property.Name)));
    }

    [Fact]
    public async Task Themes_speak_the_readers_language_are_featured_for_their_time_and_count_their_changes()
    {
        const string Fox = "5a000000-0000-4000-8000-00000000000c";
        await system.ExecuteAsync(
            $$$"""
            update themes set is_featured = true, featured_until = now() + interval '1 hour',
              translations = '{"tr": {"name": "Kar tilkisi"}}' where id = '{{{Fox}}}'
            """
        );
        var english = await FoxAsync("fr-FR, en;q=0.5");
        var turkish = await FoxAsync("tr-TR, en;q=0.5");
        Assert.Equal(("Snow fox", "Kar tilkisi"), (english.GetProperty("name").GetString(), turkish.GetProperty("name").GetString()));
        // What is not translated is English.
        Assert.Equal("Quiet steps.", turkish.GetProperty("description").GetString());
        Assert.True(english.GetProperty("is_featured").GetBoolean());
        await system.ExecuteAsync($"update themes set featured_until = '2099-01-01T00:00:00Z' where id = '{Fox}'");
        var later = await FoxAsync("en");
        Assert.Equal((true, "2099-01-01T00:00:00.000Z"), (later.GetProperty("is_featured").GetBoolean(), later.GetProperty("featured_until").GetString()));
        Assert.Equal(english.GetProperty("version").GetInt32() + 1, later.GetProperty("version").GetInt32());
        // A feature that has ended is none, at once here and soon in the row, which shipped apps read.
        await system.ExecuteAsync($"update themes set featured_until = now() - interval '1 minute' where id = '{Fox}'");
        Assert.False((await FoxAsync("en")).GetProperty("is_featured").GetBoolean());
        await system.ExecuteAsync("select retire_models(0)");
        Assert.False(await system.QueryAsync<bool>($"select is_featured from themes where id = '{Fox}'"));
        await system.ExecuteAsync($"update themes set is_featured = false, featured_until = null, translations = '{{}}' where id = '{Fox}'");

        async Task<JsonElement> FoxAsync(string language)
        {
            using var http = system.Anybody();
            http.DefaultRequestHeaders.AcceptLanguage.ParseAdd(language);
            using var answer = await http.GetAsync("/get-themes");
            Assert.Equal("Accept-Language", answer.Headers.Vary.Single());
            var themes = (await answer.Content.ReadFromJsonAsync<JsonElement>()).GetProperty("themes").EnumerateArray();
            return themes.Single(theme => theme.GetProperty("id").GetString() == Fox);
        }
    }

    [Fact]
    public async Task Seeds_keep_their_promises()
    {
        // A default generation costs at most the free credits, sound is off, and every theme's duration is on offer.
        Assert.Empty(
            await system.RowsAsync(
                "select name from models where internal.price_generation(cost_per_generation, pricing_type, credits_per_second, required_fields, internal.resolve_settings(required_fields, '{}', '{}')) > 10 and name not like 'Seedance 2.5%'"
            )
        );
        Assert.Empty(await system.RowsAsync("select name from models where required_fields #>> '{settings,audio,default}' = 'true'"));
        Assert.Empty(
            await system.RowsAsync(
                "select t.name from themes t, models m where m.is_active and not coalesce(m.required_fields #> '{settings,duration,options}' @> (t.default_settings -> 'duration'), false)"
            )
        );
        Assert.Equal(12, await system.QueryAsync<long>("select count(*) from themes"));
        Assert.Equal(["False"], await system.RowsAsync("select is_available from models where name = 'Sora 2'"));
    }

    [Fact]
    public async Task Settings_change_language_and_theme_and_nothing_else()
    {
        var phone = await system.NewGuestAsync();
        var answer = await phone.PostAsync(
            "/update-user-settings",
            new
            {
                language = "tr",
                theme_preference = "dark",
                tier = "premium",
                credits_remaining = 1000,
                is_admin = true,
            }
        );
        Assert.True(answer["success"].GetBoolean());
        Assert.Equal("tr", answer["user"].GetProperty("language").GetString());
        Assert.Equal("dark", answer["user"].GetProperty("theme_preference").GetString());
        Assert.Equal(["free|10|False"], await system.RowsAsync($"select tier, credits_remaining, is_admin from users where id = '{phone.UserId}'"));
    }

    [Theory]
    [InlineData("""{"language":"fr"}""", "ERR_4003")]
    [InlineData("""{"language":""}""", "ERR_4003")]
    [InlineData("""{"theme_preference":"pink"}""", "ERR_4003")]
    [InlineData("""{"language":5}""", "ERR_4000")]
    public async Task Settings_that_do_not_exist_are_refused(string body, string code)
    {
        var answer = await (await system.NewGuestAsync()).PostTextAsync("/update-user-settings", body);
        Assert.Equal(HttpStatusCode.BadRequest, answer.Status);
        Assert.Equal(code, answer.Code);
    }

    [Fact]
    public async Task The_ledger_is_read_newest_first_and_page_by_page()
    {
        var phone = await system.NewGuestAsync(30);
        await phone.WatchAsync((await phone.GenerateAsync("Ledger [reject]"))["job_id"].GetString()!);
        var all = (await phone.GetAsync("/get-credit-history"))["transactions"].EnumerateArray().ToList();
        Assert.Equal(
            ["generation_failed_refund", "video_generation", "admin_adjustment", "initial_grant"],
            all.Select(line => line.GetProperty("reason").GetString())
        );
        Assert.Equal([30, 22, 30, 10], all.Select(line => line.GetProperty("balance_after").GetInt32()));
        var first = await phone.GetAsync("/get-credit-history?limit=3");
        var rest = await phone.GetAsync($"/get-credit-history?limit=3&before={first["next_before"].GetInt64()}");
        Assert.Equal("initial_grant", Assert.Single(rest["transactions"].EnumerateArray()).GetProperty("reason").GetString());
        Assert.Equal(JsonValueKind.Null, rest["next_before"].ValueKind);
        var credits = await phone.GetAsync("/get-user-credits");
        Assert.Equal((30, 30), (credits["credits_remaining"].GetInt32(), credits["credits_total"].GetInt32()));
    }

    [Fact]
    public async Task Shipped_apps_are_served_only_behind_the_compatibility_switch()
    {
        await using var compatible = new Compatible();
        await compatible.InitializeAsync();
        var phone = await compatible.NewGuestAsync();
        using var http = compatible.Anybody();
        Assert.Equal(
            10,
            (await http.GetFromJsonAsync<JsonElement>($"/functions/v1/get-user-credits?user_id={phone.UserId}")).GetProperty("credits_remaining").GetInt32()
        );
        Assert.Equal(HttpStatusCode.NotFound, (await http.GetAsync("/functions/v1/get-user-credits?user_id=guest-preview-id")).StatusCode);
        using var strict = system.Anybody();
        var other = await system.NewGuestAsync();
        Assert.Equal(HttpStatusCode.Unauthorized, (await strict.GetAsync($"/functions/v1/get-user-credits?user_id={other.UserId}")).StatusCode);
    }

    private sealed class Compatible : TestSystem
    {
        protected override Dictionary<string, string?> Settings => new() { ["Server:AcceptUnverifiedUserId"] = "true" };
    }
}
