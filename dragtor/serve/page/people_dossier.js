// A dossier that is kept, as a row that opens. Knows its shape; how sections look is people_research.js.
import { html } from "./lib.js";
import { changed } from "./adding.js";
import { remove } from "./rest.js";
import { Findings, researchOf } from "./people_research.js";
import { Button, counted, toast, whyNot } from "./ui.js";

const removeDossier = (dossier) => remove(`/sources/${dossier.id}`).then(changed, (error) => toast(whyNot(error), { bad: true }));

export const DossierRow = ({ dossier }) => html`<details class="job dossier">
  <summary><strong>${dossier.name}</strong> <span class="small quiet">${[dossier.category || "question", counted(dossier.sections.flatMap((each) => each.citations).length, "quote"), dossier.stopped && "stopped early"].filter(Boolean).join(" · ")}</span></summary>
  <${Findings} ...${dossier} /><div class="row"><${Button} icon="retry" onClick=${() => researchOf(dossier)}>Research again<//>
  <${Button} icon="trash" onClick=${() => removeDossier(dossier)}>Remove<//></div>
</details>`;
