"""Things to say in many languages: random sentences of common words. Knows nothing of voices."""

from __future__ import annotations

import numpy as np

from heygem.demo.voice import Language

_WORDS: dict[Language, str] = {
    "en": """about after again because before between bubble people question remember morning machine father mother
        brother river water window shadow simple purple yellow orange memory music paper picture pleasure shoulder
        thousand five seven eleven twelve zero one two three four six eight nine ten many money moment maybe baby happy
        puppy open over under world working wonderful voice very value video view vision speech follow fellow hollow
        chew show shoe choose measure judge giant garage thing this that these through thumb bath both mouth movie
        problem probably possible company government information technology learning model system computer research
        science user project future always never ever close wide round you me we they go away stay home warm welcome
        presenter today tomorrow weather sunny rain storm mountain forest ocean ship beach""",
    "zh": """jin1tian1 tian1qi4 hen3 hao3 wo3men5 yi1qi3 xue2xi2 xin1 de5 ji4shu4 ren2gong1 zhi4neng2 ke3yi3 bang1zhu4
        ni3 shuo1hua4 peng2you3 ma1ma5 ba4ba5 bu2yao4 wang4ji4 ming2tian1 fei1ji1 huo3che1 bei3jing1 shang4hai3
        ping2guo3 pu2tao2 mi3fan4 mian4bao1 he1shui3 chi1fan4 zou3lu4 pao3bu4 yin1yue4 dian4ying3 bao4gao4 fang1fa3
        mo2xing2 shu4ju4 yu3yin1 zui3ba5 gen1zhe5 sheng1yin1 tong2bu4 fei1chang2 piao4liang5 xie4xie5 huan1ying2
        da4jia1 guan1kan4 wen4ti2 hui2da2 shi4jie4 he2ping2 zao3shang5 wan3fan4 fu4mu3 xue2sheng5 lao3shi1 gong1zuo4
        kai1men2 yue4liang5 xia4yu3 chun1tian1 wu3yue4 bai2yun2 shan1shui3 feng1jing3 fa1ming2 wei4lai2 qi1wang4""",
    "de": """heute morgen wetter schön wir sprechen über neue technik maschine lernen mutter vater brot wasser fenster
        zeit freund frage antwort problem möglich wunderbar stimme musik bewegung fünf sieben zwölf aber bitte komm mit
        hause garten apfel baum mond pferd buch brief vogel berg""",
    "es": """hoy mañana tiempo bueno vamos hablar sobre nuevo problema posible maravilla voz música movimiento madre
        padre agua pan ventana amigo pregunta respuesta siempre nunca abrir cerrar favor mundo futuro playa libro
        blanco verde fiesta viaje pueblo caballo bosque lluvia""",
    "fr": """aujourd'hui demain beau temps nous parlons nouvelle musique voix mouvement mère père eau pain fenêtre ami
        question réponse toujours jamais ouvrir fermer bonjour monde futur problème possible peut-être bouche livre
        pomme plage feu voyage blanc""",
    "it": """oggi domani tempo bello parliamo nuova musica voce movimento madre padre acqua pane finestra amico domanda
        risposta sempre mai aprire chiudere mondo futuro problema possibile libro mela spiaggia fuoco viaggio bianco""",
    "pt": """hoje amanhã tempo bom vamos falar sobre novo problema possível maravilha voz música movimento mãe pai água
        pão janela amigo pergunta resposta sempre nunca abrir fechar mundo futuro livro praia fogo viagem branco""",
    "pl": """dzisiaj jutro pogoda dobra mówimy nowa muzyka głos ruch matka ojciec woda chleb okno przyjaciel pytanie
        odpowiedź zawsze nigdy otworzyć zamknąć świat przyszłość problem możliwe książka jabłko plaża ogień biały""",
    "ru": """сегодня завтра погода хорошая мы говорим новая музыка голос движение мама папа вода хлеб окно друг вопрос
        ответ всегда никогда открыть мир будущее проблема возможно книга яблоко огонь белый берег""",
    "nl": """vandaag morgen weer mooi wij spreken over nieuwe muziek stem beweging moeder vader water brood raam vriend
        vraag antwoord altijd nooit openen wereld toekomst probleem mogelijk boek appel vuur wit berg""",
    "sv": """idag imorgon väder vacker vi talar om ny musik röst rörelse mamma pappa vatten bröd fönster vän fråga svar
        alltid aldrig öppna värld framtid problem möjligt bok äpple eld vit berg""",
    "tr": """bugün yarın hava güzel konuşuyoruz yeni müzik ses hareket anne baba su ekmek pencere arkadaş soru cevap her
        zaman asla açmak dünya gelecek problem mümkün kitap elma ateş beyaz dağ""",
    "vi": """hôm nay ngày mai thời tiết đẹp chúng ta nói về âm nhạc mới giọng nói mẹ cha nước bánh mì cửa sổ bạn bè câu
        hỏi trả lời luôn luôn mở thế giới tương lai sách biển lửa trắng núi""",
    "hi": """आज कल मौसम अच्छा हम बात नया संगीत आवाज़ माँ पिता पानी रोटी खिड़की दोस्त सवाल जवाब हमेशा कभी खोलना दुनिया
        भविष्य समस्या संभव किताब सेब आग सफ़ेद पहाड़""",
}


def random_text(language: Language, rng: np.random.Generator, words: int = 14) -> str:
    """A sentence of `words` random words, with commas here and there; Chinese as pinyin with tone numbers."""
    chosen = rng.choice(_WORDS[language].split(), words)
    return (
        " ".join(word + ("," if comma else "") for word, comma in zip(chosen, rng.random(words) < 0.1, strict=True))
        + "."
    )
